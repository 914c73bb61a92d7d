CREATE TABLE application.people (
  person_id integer NOT NULL DEFAULT nextval('sequences.person_id'),
  full_name varchar(50) NOT NULL,
  preferred_name varchar(50) NOT NULL,
  search_name varchar(101) NOT NULL,
  is_permitted_to_logon boolean NOT NULL,
  logon_name varchar(256),
  is_external_logon_provider boolean NOT NULL,
  hashed_password bytea,
  is_system_user boolean NOT NULL,
  is_employee boolean NOT NULL,
  is_salesperson boolean NOT NULL,
  user_preferences text,
  phone_number varchar(20),
  fax_number varchar(20),
  email_address varchar(256),
  photo bytea,
  custom_fields text,
  other_languages jsonb,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (person_id)
);
CREATE INDEX ON application.people (is_employee);
CREATE INDEX ON application.people (is_salesperson);
CREATE INDEX ON application.people (full_name);
CREATE INDEX ON application.people (is_permitted_to_logon, person_id);

CREATE TABLE application.countries (
  country_id integer NOT NULL DEFAULT nextval('sequences.country_id'),
  country_name varchar(60) NOT NULL,
  formal_name varchar(60) NOT NULL,
  iso_alpha3_code varchar(3),
  iso_numeric_code integer,
  country_type varchar(20),
  latest_recorded_population bigint,
  continent varchar(30) NOT NULL,
  region varchar(30) NOT NULL,
  subregion varchar(30) NOT NULL,
  border text,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (country_id),
  UNIQUE (country_name),
  UNIQUE (formal_name)
);

CREATE TABLE application.state_provinces (
  state_province_id integer NOT NULL DEFAULT nextval('sequences.state_province_id'),
  state_province_code varchar(5) NOT NULL,
  state_province_name varchar(50) NOT NULL,
  country_id integer NOT NULL,
  sales_territory varchar(50) NOT NULL,
  border text,
  latest_recorded_population bigint,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (state_province_id),
  UNIQUE (state_province_name)
);
CREATE INDEX ON application.state_provinces (country_id);
CREATE INDEX ON application.state_provinces (sales_territory);

CREATE TABLE application.cities (
  city_id integer NOT NULL DEFAULT nextval('sequences.city_id'),
  city_name varchar(50) NOT NULL,
  state_province_id integer NOT NULL,
  location text,
  latest_recorded_population bigint,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (city_id)
);
CREATE INDEX ON application.cities (state_province_id);

CREATE TABLE application.delivery_methods (
  delivery_method_id integer NOT NULL DEFAULT nextval('sequences.delivery_method_id'),
  delivery_method_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (delivery_method_id),
  UNIQUE (delivery_method_name)
);

CREATE TABLE application.payment_methods (
  payment_method_id integer NOT NULL DEFAULT nextval('sequences.payment_method_id'),
  payment_method_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (payment_method_id),
  UNIQUE (payment_method_name)
);

CREATE TABLE application.transaction_types (
  transaction_type_id integer NOT NULL DEFAULT nextval('sequences.transaction_type_id'),
  transaction_type_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (transaction_type_id),
  UNIQUE (transaction_type_name)
);
