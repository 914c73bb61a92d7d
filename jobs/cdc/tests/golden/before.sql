-- Tables and rows that the snapshot reads: a table for each family of types, with edge values, and the awkward shapes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS ltree;

CREATE TABLE numbers (
    id integer PRIMARY KEY, i2 smallint, i4 integer, i8 bigint, o oid, b boolean, f4 real, f8 double precision,
    n numeric, n5 numeric(5), n52 numeric(5, 2), n18 numeric(18, 2), n38 numeric(38, 10), n60 numeric(60, 30), m money,
    i2n smallint NOT NULL DEFAULT 7, fn real NOT NULL DEFAULT 1.5, nn numeric(10, 2) NOT NULL DEFAULT 1.25, bn boolean NOT NULL DEFAULT true);
INSERT INTO numbers VALUES
    (1, 0, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (2, 32767, 2147483647, 9223372036854775807, 4294967295, true, 3.4028235e38, 1.7976931348623157e308,
     123456789012345678901234567890.123456789, 99999, 999.99, 9999999999999999.99, 9999999999999999999999999999.9999999999,
     999999999999999999999999999999.999999999999999999999999999999, 92233720368547758.07),
    (3, -32768, -2147483648, -9223372036854775808, 1, NULL, 1.1754944e-38, 2.2250738585072014e-308,
     -0.000000000000000000001, -99999, -999.99, -0.01, -1e-10, -1e-30, -1234.5),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, 1, 1, 1, 1, true, 'NaN', 'NaN', 1.5000, 1, 1.2, 1.20, 1, 1, 0.05),
    (6, 1, 1, 1, 1, true, 'Infinity', '-Infinity', 100, 100, 100, 100, 100, 100, 100),
    (7, 1, 1, 1, 1, true, '-0', '0.1', 1e20, 12, 0.5, 0.5, 0.5, 0.5, -0.01);

CREATE TABLE texts (
    id integer PRIMARY KEY, c char, c5 char(5), v varchar, v9 varchar(9), t text, ci citext, u uuid, j json, jb jsonb, x xml,
    ba bytea, b1 bit, b8 bit(8), b12 bit(12), vb varbit, vb9 varbit(9), tv tsvector, tq tsquery, l ltree,
    tn text NOT NULL DEFAULT 'none', un uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', jn jsonb NOT NULL DEFAULT '{"a": 1}',
    ban bytea NOT NULL DEFAULT '\x0102', bn8 bit(8) NOT NULL DEFAULT B'00000001');
INSERT INTO texts VALUES
    (1, 'a', 'ab', 'v', 'v9', 'plain', 'CaSe', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a" :  1}', '{"b": [1, 2, {"c": null}], "a": "é"}',
     '<a>1</a>', '\xdeadbeef', B'1', B'10000001', B'100000000001', B'101', B'111111111', 'a fat cat', 'fat & cat', 'top.science'),
    (2, '', '', '', '', '', '', '00000000-0000-0000-0000-000000000000', '""', 'null', '', '', B'0', B'00000000', B'000000000000', B'', B'', '', NULL, ''),
    (3, 'é', 'naïve', E'tab\there', E'new\nline', E'quote\' back\\slash "double" \u00e9 \u4e2d \U0001F600', 'ß', NULL, '[1,2]', '[]',
     '<?xml version="1.0"?><r/>', '\x00ff5c5c0a', NULL, B'11111111', NULL, B'0000000000000001', NULL, NULL, 'a | b', 'a.b.c'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE times (
    id integer PRIMARY KEY, d date, t time, t0 time(0), t3 time(3), t6 time(6), tz timetz, tz3 timetz(3),
    ts timestamp, ts0 timestamp(0), ts3 timestamp(3), ts6 timestamp(6), tstz timestamptz, tstz0 timestamptz(0), tstz3 timestamptz(3), iv interval,
    dn date NOT NULL DEFAULT '2001-02-03', tsn timestamp NOT NULL DEFAULT '2001-02-03 04:05:06.789', tstzn timestamptz NOT NULL DEFAULT '2001-02-03 04:05:06+00',
    ivn interval NOT NULL DEFAULT '1 day');
INSERT INTO times VALUES
    (1, '2020-02-29', '13:14:15.123456', '13:14:15', '13:14:15.123', '13:14:15.123456', '13:14:15.123456+02', '13:14:15.123-03:30',
     '2020-02-29 13:14:15.123456', '2020-02-29 13:14:15', '2020-02-29 13:14:15.123', '2020-02-29 13:14:15.123456',
     '2020-02-29 13:14:15.123456+02', '2020-02-29 13:14:15+02', '2020-02-29 13:14:15.123+02', '1 year 2 mons 3 days 04:05:06.789'),
    (2, '1969-12-31', '00:00:00', '00:00:00', '00:00:00', '00:00:00', '00:00:00+00', '00:00:00+14',
     '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999', '1969-12-31 23:59:59.999999',
     '1969-12-31 23:59:59.999999+00', '1970-01-01 00:00:00+00', '1969-12-31 23:59:59.999+00', '-1 year -2 days +03:00:00'),
    (3, '0001-01-01', '24:00:00', '23:59:59', '23:59:59.999', '23:59:59.999999', '24:00:00+00', '23:59:59.999-14',
     '0001-01-01 00:00:00', '0001-01-01 00:00:00', '0001-01-01 00:00:00', '0001-01-01 00:00:00',
     '0001-01-01 00:00:00+00', '0001-01-01 00:00:00+00', '0001-01-01 00:00:00+00', '00:00:00.000001'),
    (4, '9999-12-31', NULL, NULL, NULL, NULL, NULL, NULL, '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999',
     '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', '9999-12-31 23:59:59+00', '9999-12-31 23:59:59.999+00', '-00:00:01'),
    (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE infinite_times (id integer PRIMARY KEY, ts timestamp, ts3 timestamp(3), tstz timestamptz);
INSERT INTO infinite_times VALUES
    (1, 'infinity', 'infinity', 'infinity'), (2, '-infinity', '-infinity', '-infinity'),
    (3, '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00+00 BC');

CREATE TABLE arrays (
    id integer PRIMARY KEY, i2 smallint[], i4 integer[], i8 bigint[], b boolean[], f4 real[], f8 double precision[], n numeric(10, 2)[], nv numeric[],
    t text[], v varchar(5)[], c char(3)[], d date[], ts timestamp[], tstz timestamptz[], u uuid[], j json[], jb jsonb[], e integer[] NOT NULL DEFAULT '{}');
INSERT INTO arrays VALUES
    (1, '{1,2}', '{1,NULL,3}', '{9223372036854775807}', '{t,f,NULL}', '{1.5}', '{2.5,NULL}', '{1.25,-3}', '{1.5,1e10}',
     '{a,"b c",NULL,"NULL","q\"\\,{}"}', '{abc}', '{a,bc}', '{2020-02-29,NULL}', '{"2020-02-29 13:14:15.123456"}', '{"2020-02-29 13:14:15.123456+02"}',
     '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', ARRAY['{"a": 1}', '[]']::json[], ARRAY['{"a": 1}']::jsonb[], '{1}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{7}');

CREATE TYPE mood AS ENUM ('sad', 'ok', 'so, "so"');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN price AS numeric(12, 3);
CREATE DOMAIN nested AS price NOT NULL;
CREATE DOMAIN code AS varchar(8);
CREATE TABLE own_types (
    id integer PRIMARY KEY, e mood, dp positive, dr price, dn nested, dc code, h hstore, hn hstore NOT NULL DEFAULT 'a=>1',
    en mood NOT NULL DEFAULT 'ok');
INSERT INTO own_types VALUES
    (1, 'sad', 1, 1.5, 2.25, 'abc', 'a=>1, b=>NULL, "c d"=>"e\"f"'), (2, 'so, "so"', 7, -1, 0, '', ''),
    (3, NULL, NULL, NULL, 1, NULL, NULL);

CREATE TABLE networks (id integer PRIMARY KEY, i inet, c cidr, m macaddr, m8 macaddr8, r4 int4range, r8 int8range, rn numrange, rts tsrange, rtz tstzrange, rd daterange,
    p point, pn point NOT NULL DEFAULT '(1,2)');
INSERT INTO networks VALUES
    (1, '192.168.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '[1,5)', '(1,10]', '[1.5,2.5]', '[2020-01-01 00:00,2020-01-02 12:00)',
     '[2020-01-01 00:00+00,)', '[2020-01-01,2020-02-01)', '(1.5,-2)'),
    (2, '::1/64', '::/0', NULL, NULL, 'empty', '(,)', '(,1)', 'empty', '(,)', '(,)', '(0,0)'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE no_key (a integer, b text);
INSERT INTO no_key VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE whole (id integer PRIMARY KEY, v text, big text);
ALTER TABLE whole ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
INSERT INTO whole VALUES (1, 'a', repeat('x', 3000)), (2, 'b', NULL);
CREATE TABLE whole_no_key (a integer, b text NOT NULL);
ALTER TABLE whole_no_key REPLICA IDENTITY FULL;
CREATE TABLE unkeyed_index (code text NOT NULL, v integer);
CREATE UNIQUE INDEX unkeyed_code ON unkeyed_index (code);
INSERT INTO unkeyed_index VALUES ('one', 1);
CREATE TABLE no_identity (id integer PRIMARY KEY, v integer);
ALTER TABLE no_identity REPLICA IDENTITY NOTHING;
INSERT INTO no_identity VALUES (1, 1);
CREATE TABLE two_keys (b integer, a text, v integer NOT NULL, PRIMARY KEY (a, b));
INSERT INTO two_keys VALUES (1, 'k', 1), (2, 'k', 2);
CREATE TABLE toasted (id integer PRIMARY KEY, n integer, t text NOT NULL, b bytea, j jsonb, ta text[], ia integer[], v varchar);
ALTER TABLE toasted ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL, ALTER ta SET STORAGE EXTERNAL,
    ALTER ia SET STORAGE EXTERNAL, ALTER v SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT 1, 0, repeat('t', 3000), decode(repeat('ab', 3000), 'hex'), to_jsonb(repeat('j', 3000)),
    array_agg(md5(n::text)), array_agg(n), repeat('v', 3000) FROM generate_series(1, 700) AS n;
CREATE TABLE generated (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, w integer, h integer, serial serial);
INSERT INTO generated (w, h) VALUES (2, 3);
CREATE TABLE dropped (id integer PRIMARY KEY, gone text, kept text);
INSERT INTO dropped VALUES (1, 'x', 'y');
ALTER TABLE dropped DROP COLUMN gone;
CREATE TABLE "Quoted Näme-1" ("Id Col" integer PRIMARY KEY, "välue" text, "9lives" integer, "a.b" integer);
INSERT INTO "Quoted Näme-1" VALUES (1, 'a', 9, 2);
CREATE SCHEMA "Other Schema";
CREATE TABLE "Other Schema".things (id integer PRIMARY KEY, v text NOT NULL DEFAULT 'def');
INSERT INTO "Other Schema".things VALUES (1);
CREATE TABLE parts (id integer, region text, v integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
INSERT INTO parts VALUES (1, 'eu', 1), (2, 'us', 2);
CREATE TABLE evolving (id integer PRIMARY KEY, v text);
INSERT INTO evolving VALUES (1, 'a');
CREATE TABLE truncated (id integer PRIMARY KEY);
INSERT INTO truncated VALUES (1);

CREATE TABLE defaults (
    id serial PRIMARY KEY, t text NOT NULL DEFAULT upper('x'), v varchar NOT NULL DEFAULT 'it''s', c char(5) NOT NULL DEFAULT 'ab',
    i integer NOT NULL DEFAULT -1, ix integer NOT NULL DEFAULT (1 + 1), f double precision NOT NULL DEFAULT -1.5,
    b boolean NOT NULL DEFAULT false, n numeric NOT NULL DEFAULT 1.50, m money NOT NULL DEFAULT 1.5,
    ts timestamp NOT NULL DEFAULT now(), ts3 timestamp(3) NOT NULL DEFAULT '2001-02-03 04:05:06.789', d date NOT NULL DEFAULT CURRENT_DATE,
    ti time NOT NULL DEFAULT '12:00', ti3 time(3) NOT NULL DEFAULT '12:00:00.5', tz timetz NOT NULL DEFAULT '12:00+02', tstz timestamptz NOT NULL DEFAULT now(),
    u uuid NOT NULL DEFAULT gen_random_uuid(), j json NOT NULL DEFAULT '[]', x xml NOT NULL DEFAULT '<a/>', p positive NOT NULL DEFAULT 3,
    tv tsvector NOT NULL DEFAULT 'a b', ine inet NOT NULL DEFAULT '10.0.0.1', r int4range NOT NULL DEFAULT '[1,2)', bit1 bit NOT NULL DEFAULT B'1',
    l ltree NOT NULL DEFAULT 'a.b', nul text DEFAULT NULL, iv interval NOT NULL DEFAULT '1 hour',
    tstz0 timestamptz(0) NOT NULL DEFAULT now(), ci citext NOT NULL DEFAULT 'Ci', o oid NOT NULL DEFAULT 5);
INSERT INTO defaults (ts, d, tstz, tstz0, u) VALUES ('2001-02-03', '2001-02-03', '2001-02-03', '2001-02-03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
-- Confluent's converter writes the default where a row has null, unless it is told not to, which its newer versions can be.
CREATE TABLE nullable_defaults (id integer PRIMARY KEY, t text DEFAULT 'nullable', i integer DEFAULT 5, n numeric(6, 2) DEFAULT 3, ts timestamp DEFAULT now(),
    b8 bit(8) DEFAULT B'10100000', e mood DEFAULT 'sad', v varchar(9) DEFAULT NULL);
ALTER TABLE nullable_defaults REPLICA IDENTITY FULL;
INSERT INTO nullable_defaults (id, ts) VALUES (1, '2001-02-03');
CREATE TABLE no_defaults (
    id integer PRIMARY KEY, b boolean NOT NULL, f real NOT NULL, n numeric NOT NULL, n2 numeric(6, 2) NOT NULL, m money NOT NULL, t text NOT NULL, c char(3) NOT NULL,
    ts timestamp NOT NULL, ts3 timestamp(3) NOT NULL, d date NOT NULL, ti time NOT NULL, ti3 time(3) NOT NULL, tz timetz NOT NULL, tstz timestamptz NOT NULL,
    tstz3 timestamptz(3) NOT NULL, iv interval NOT NULL, u uuid NOT NULL, j jsonb NOT NULL, x xml NOT NULL, ba bytea NOT NULL, e mood NOT NULL, b1 bit NOT NULL,
    b8 bit(8) NOT NULL, a integer[] NOT NULL, ta text[] NOT NULL, l ltree NOT NULL, tv tsvector NOT NULL, ine inet NOT NULL, r int4range NOT NULL, h hstore NOT NULL,
    p point NOT NULL, dp positive NOT NULL);
INSERT INTO no_defaults VALUES (1, true, 1, 1, 1, 1, 'a', 'a', '2001-02-03', '2001-02-03', '2001-02-03', '12:00', '12:00', '12:00+00', '2001-02-03', '2001-02-03', '1 day',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[]', '<a/>',
    '\x01', 'ok', B'1', B'00000001', '{1}', '{a}', 'a', 'a', '::1', '[1,2)', 'a=>1', '(1,2)', 1);
CREATE TABLE text_key (k text PRIMARY KEY DEFAULT 'key', v integer);
INSERT INTO text_key VALUES ('a', 1);

-- Types of extensions, which are known by their names, with no more than their text forms.
CREATE FUNCTION make_type(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TYPE %I', name);
    EXECUTE format('CREATE FUNCTION %I(cstring) RETURNS %I AS ''textin'' LANGUAGE internal IMMUTABLE STRICT', name || '_in', name);
    EXECUTE format('CREATE FUNCTION %I(%I) RETURNS cstring AS ''textout'' LANGUAGE internal IMMUTABLE STRICT', name || '_out', name);
    EXECUTE format('CREATE TYPE %I (INPUT = %I, OUTPUT = %I, LIKE = text)', name, name || '_in', name || '_out');
END $$;
SELECT make_type('geometry'), make_type('geography'), make_type('vector'), make_type('halfvec'), make_type('sparsevec');
CREATE TABLE extensions (id integer PRIMARY KEY, g geometry, gg geography, gn geometry NOT NULL, ggn geography NOT NULL, v vector, vn vector NOT NULL, hv halfvec, sv sparsevec);
INSERT INTO extensions VALUES
    (1, '0101000020E6100000000000000000F03F0000000000000040', '0101000020E6100000000000000000F03F0000000000000040', '0101000000000000000000F03F0000000000000040',
     '0101000000000000000000F03F0000000000000040', '[1,2.5,-3]', '[1]', '[0.5,1]', '{1:1.5,3:2}/5'),
    (2, '000000000140000000000000004010000000000000', NULL, '0101000000000000000000F03F0000000000000040', '0101000000000000000000F03F0000000000000040', NULL, '[1]', NULL, NULL),
    (3, NULL, NULL, '0101000000000000000000F03F0000000000000040', '0101000000000000000000F03F0000000000000040', '[0]', '[1]', '[0]', '{}/3');
