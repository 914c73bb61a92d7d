//! Values of every type.

use crate::compare::equal;
use crate::stage::{Result, Stage};

pub fn plain_and_unusual_types() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE DOMAIN price AS numeric(10,2);
         CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
         CREATE TABLE plain (id int PRIMARY KEY, b boolean, s smallint, l bigint, o oid, r real, d double precision, n numeric(10,2), p price,
             da date, ts timestamp, t3 timestamp(3), tz timestamptz, by bytea, t text, v varchar(20), u uuid, j jsonb, x xml, m mood,
             ai int[], at text[], an numeric(8,3)[], ad date[], ab boolean[]);
         INSERT INTO plain VALUES (1, true, -3, 9223372036854775807, 4294967295, 1.5, 0.1, 12.50, 7.00, '2024-02-29', '2024-02-29 12:34:56.789',
             '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789912+02', '\\x00ff', 'q\"\\ü', 'v', '11111111-2222-3333-4444-555555555555',
             '{\"a\": [1, null]}', '<a/>', 'it''s ok', '{1,NULL,3}', '{a,\"b,c\",NULL}', '{1.500,2}', '{2020-01-01}', '{t,f}'),
           (2, NULL, NULL, NULL, NULL, 'NaN', '-Infinity', 'NaN', NULL, 'infinity', '-infinity', 'infinity', 'infinity', NULL, '', NULL, NULL, NULL, NULL, NULL,
             '{}', NULL, NULL, NULL, NULL),
           (3, false, 0, 0, 0, 1e30, 1e-300, 0.00, -0.01, '0044-03-15 BC', '0044-03-15 10:00:00 BC', '10000-01-01', '20000-01-01 00:00:00.5+00', '', 'x', 'y', NULL,
             'null', NULL, 'sad', NULL, NULL, NULL, NULL, NULL);",
    )?;
    stage.settle()?;
    equal(&stage, "public.plain")?;
    stage.sql(
        "UPDATE plain SET t = 'changed ''' || t, n = 1.10 WHERE id = 1;
         DELETE FROM plain WHERE id = 2;
         INSERT INTO plain SELECT 4, b, s, l, o, r, d, n, p, da, ts, t3, tz, by, t, v, u, j, x, m, ai, at, an, ad, ab FROM plain WHERE id = 3;
         INSERT INTO plain (id, ts, tz, da) VALUES (5, 'infinity', '-infinity', '-infinity');",
    )?;
    stage.settle()?;
    equal(&stage, "public.plain")
}

/// Values out of line, of every kind, that an update does not tell.
pub fn out_of_line() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TABLE big (id int PRIMARY KEY, n int, t text, by bytea, j jsonb, ai int[], ad double precision[], at text[], nu numeric, ab boolean[]);
         ALTER TABLE big ALTER t SET STORAGE EXTERNAL, ALTER by SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL, ALTER ai SET STORAGE EXTERNAL,
             ALTER ad SET STORAGE EXTERNAL, ALTER at SET STORAGE EXTERNAL, ALTER nu SET STORAGE EXTERNAL, ALTER ab SET STORAGE EXTERNAL;
         CREATE FUNCTION fill(i int) RETURNS void LANGUAGE sql AS $$
             INSERT INTO big SELECT i, 0, repeat('x', 9000), decode(repeat('ab', 9000), 'hex'), jsonb_build_object('k', repeat('y', 9000)),
                 array_agg(n), array_agg(n / 2.0), array_agg('e' || n), repeat('12345', 3000)::numeric, array_agg(n % 2 = 0) FROM generate_series(1, 9000) n $$;
         SELECT fill(1); SELECT fill(2);
         CREATE TABLE loose (n int, t text, d date, f float8); ALTER TABLE loose ALTER t SET STORAGE EXTERNAL; ALTER TABLE loose REPLICA IDENTITY FULL;
         INSERT INTO loose SELECT n / 2, repeat('x', 9000), '2020-01-01', 'NaN' FROM generate_series(1, 4) n;",
    )?;
    stage.settle()?;
    equal(&stage, "public.big")?;
    equal(&stage, "public.loose")?;
    stage.sql("UPDATE loose SET n = n + 1; UPDATE loose SET d = 'infinity' WHERE n = 2; INSERT INTO loose VALUES (NULL, NULL, '0044-03-15 BC', 1); DELETE FROM loose WHERE n = 1;")?;
    // Told by no event of the window, by an earlier one of it, and by none since another window.
    stage.sql("UPDATE big SET n = 1 WHERE id = 1; SELECT fill(3); UPDATE big SET n = 2 WHERE id = 3; UPDATE big SET t = 'short', n = 3 WHERE id = 2;")?;
    stage.settle()?;
    equal(&stage, "public.big")?;
    equal(&stage, "public.loose")?;
    stage.sql("TRUNCATE loose; INSERT INTO loose VALUES (1, 'a', NULL, NULL); UPDATE loose SET t = 'b'; INSERT INTO loose VALUES (1, 'b', NULL, NULL);")?;
    stage.sql("UPDATE big SET t = NULL, n = n + 1; UPDATE big SET n = n + 1;")?;
    stage.settle()?;
    equal(&stage, "public.loose")?;
    equal(&stage, "public.big")?;
    // Keys that change, once and again, into one that was free or was given up just before.
    stage.sql(
        "UPDATE big SET id = 11 WHERE id = 1; UPDATE big SET n = 9 WHERE id = 11; UPDATE big SET id = 12 WHERE id = 2;
         UPDATE big SET id = 13 WHERE id = 12; UPDATE big SET id = 20, t = 'told' WHERE id = 3; SELECT fill(3); UPDATE big SET id = 30 WHERE id = 3;
         UPDATE big SET id = 3 WHERE id = 20; UPDATE big SET n = n + 1 WHERE id = 3;",
    )?;
    stage.settle()?;
    equal(&stage, "public.big")
}

/// Types that Spark has none for, as PostgreSQL prints them.
pub fn kept_as_text() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE EXTENSION hstore;
         CREATE TABLE texts (id numeric PRIMARY KEY, t time, tz timetz, i interval, b bit(5), vb varbit, m money, p point, r int4range, n numeric, big numeric(60,3),
             s numeric(3,5), h hstore, ip inet, x interval[], nn numeric[], one bit(1), ts tsvector, late timestamp, multi int[], nan numeric(6,2));
         INSERT INTO texts VALUES (1.50, '11:11:11.5', '11:11:11+02', '1 year 2 mons -3 days 04:05:06.7', B'00101', B'0010', '12.50', '(1.5,2)', '[1,5)', 12.500,
             123456789012345678901234567890.123, 0.00123, 'a=>1,b=>NULL', '10.0.0.0/8', '{1 day,NULL}', '{1.10,2}', B'1', 'fat cat', '294276-12-31 23:59:59', '{1,2}', 1.5),
           (2, '24:00:00', NULL, '0', NULL, NULL, NULL, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'infinity', NULL, 'NaN');",
    )?;
    let check = |stage: &mut Stage| -> Result<()> {
        stage.settle()?;
        equal(stage, "public.texts")
    };
    check(&mut stage)?;
    stage.sql("UPDATE texts SET i = '-1 mon', m = '-3.20', n = 0.10 WHERE id = 1.50; INSERT INTO texts SELECT id + 1.00, t, tz, i, b, vb, m, p, r, n, big, s, h, ip, x, nn, one, ts, late, multi, nan FROM texts;
         DELETE FROM texts WHERE id = 2;")?;
    check(&mut stage)
}
