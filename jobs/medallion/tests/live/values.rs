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
             '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012+02', '\\x00ff', 'q\"\\ü', 'v', '11111111-2222-3333-4444-555555555555',
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
