-- Roles and databases of the stack; runs at every start and changes nothing the second time.
-- The passwords come in by psql variables, on standard input.
select format('create role %I login', name) from (values ('wwi'), ('capture'), ('registry'), ('metastore')) role(name)
 where not exists (select from pg_roles where rolname = name) \gexec
alter role wwi password :'wwi_password';
-- Capture owns what wwi owns, so that it may publish its tables.
alter role capture replication password :'capture_password';
grant wwi to capture;
alter role registry password :'registry_password';
alter role metastore password :'metastore_password';
select format('create database %I owner %I', name, name) from (values ('wwi'), ('registry'), ('metastore')) database(name)
 where not exists (select from pg_database where datname = name) \gexec
