//! Tables of related types, with the values at the ends of each type and where random ones come from.

use super::literals as any;
use super::literals::{Literals, arrays};

/// A column: its type, values that are always in it, and random ones.
pub struct Column {
    pub kind: &'static str,
    pub edges: &'static [&'static str],
    pub random: Literals,
    pub by_default: Seen,
    pub as_texts: Seen,
}

/// What of a value arrives.
#[derive(Clone)]
pub struct Seen {
    /// The source's own view of it; `{}` is the column.
    pub source: &'static str,
    /// The type in which both are compared, none for the column's own.
    pub kind: Option<&'static str>,
    /// Values that arrive like this alone.
    pub edges: &'static [&'static str],
}

/// All of it.
const WHOLE: Seen = Seen { source: "{}", kind: None, edges: &[] };

fn column(kind: &'static str, edges: &'static [&'static str], random: Literals) -> Column {
    Column { kind, edges, random, by_default: WHOLE, as_texts: WHOLE }
}

impl Column {
    /// What arrives with default options is this much.
    fn seen(mut self, source: &'static str, kind: Option<&'static str>) -> Self {
        self.by_default = Seen { source, kind, ..self.by_default };
        self
    }

    /// What arrives when types are written as texts is this much.
    fn seen_as_text(mut self, source: &'static str, kind: Option<&'static str>) -> Self {
        self.as_texts = Seen { source, kind, ..self.as_texts };
        self
    }

    fn seen_always(self, source: &'static str, kind: Option<&'static str>) -> Self {
        self.seen(source, kind).seen_as_text(source, kind)
    }

    /// Values that only texts can tell.
    fn only_as_text(mut self, edges: &'static [&'static str]) -> Self {
        self.as_texts.edges = edges;
        self
    }
}

pub struct Family {
    pub name: &'static str,
    /// What has to be there first.
    pub setup: &'static str,
    /// The extension that it needs.
    pub extension: Option<&'static str>,
    pub columns: Vec<Column>,
}

fn family(name: &'static str, columns: Vec<Column>) -> Family {
    Family { name, setup: "", extension: None, columns }
}

pub fn families() -> Vec<Family> {
    vec![
        numbers(),
        decimals(),
        texts(),
        times(),
        addresses(),
        documents(),
        bits(),
        ranges(),
        own(),
        shapes(),
        lists(),
        more_lists(),
        extension("citext", "c", vec![column("citext", &["", "CaSe", " x "], any::texts(12))]),
        extension("ltree", "l", vec![column("ltree", &["", "a.b_1.C"], any::labels())]),
        extension(
            "hstore",
            "h",
            vec![
                column("hstore", &["", r#""a"=>NULL"#, r#""q\"\\"=>"NULL", ""=>"""#], any::pairs())
                    .seen("hstore_to_jsonb({})", Some("jsonb")),
            ],
        ),
    ]
}

fn extension(extension: &'static str, name: &'static str, columns: Vec<Column>) -> Family {
    Family { name, setup: "", extension: Some(extension), columns }
}

fn numbers() -> Family {
    family(
        "numbers",
        vec![
            column("boolean", &["t", "f"], any::booleans()),
            column("smallint", &["-32768", "32767", "0"], any::int2()),
            column("integer", &["-2147483648", "2147483647", "0"], any::int4()),
            column("bigint", &["-9223372036854775808", "9223372036854775807", "-1"], any::int8()),
            column("oid", &["0", "4294967295"], any::unsigned()),
            column("xid", &["0", "4294967295"], any::unsigned()),
            column("pg_lsn", &["0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"], any::positions()),
            column(
                "real",
                &["NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "0.1"],
                any::float4(),
            ),
            column(
                "double precision",
                &[
                    "NaN",
                    "Infinity",
                    "-Infinity",
                    "-0",
                    "5e-324",
                    "1.7976931348623157e308",
                    "0.1",
                    "1e15",
                    "123456789012345680",
                ],
                any::float8(),
            ),
            column("money", &["-92233720368547758.08", "92233720368547758.07", "0", "-0.01"], any::money())
                .seen_always("{}::numeric", Some("numeric")),
        ],
    )
}

fn decimals() -> Family {
    const SPECIAL: &[&str] = &["NaN", "Infinity", "-Infinity"];
    // A scale in the value is no longer than it must be.
    const TRIMMED: &str = "trim_scale({})";
    family(
        "decimals",
        vec![
            column(
                "numeric",
                &["0", "0.000", "-1.50", "1e100", "1e-100", "-0.0001", "100"],
                any::decimals(40, 20),
            )
            .seen(TRIMMED, Some("numeric"))
            .only_as_text(SPECIAL),
            column(
                "numeric(10,2)",
                &["99999999.99", "-99999999.99", "0", "-0.01", "1.28", "-1.28"],
                any::decimals(8, 1),
            )
            .only_as_text(&["NaN"]),
            column("numeric(18,0)", &["999999999999999999", "-999999999999999999"], any::decimals(17, 0)),
            column("numeric(19,4)", &["999999999999999.9999", "922337203685477.5808"], any::decimals(15, 3)),
            column(
                "numeric(60,30)",
                &["170141183460469231731687303715.884105727", "-170141183460469231731687303715.884105728"],
                any::decimals(30, 29),
            ),
            column("numeric(5,-2)", &["1234567", "-49", "50"], any::decimals(6, 1))
                .seen(TRIMMED, Some("numeric")),
            column("numeric(2,4)", &["0.0099", "-0.0001"], any::hundredths()).seen(TRIMMED, Some("numeric")),
        ],
    )
}

fn texts() -> Family {
    family(
        "texts",
        vec![
            column(
                "text",
                &["", "NULL", "null", "\\N", "\\.", "tab\tnew\nline\r\\", "ünïcødé 🐘", "'\""],
                any::texts(30),
            ),
            column("varchar(12)", &["", "  padded  "], any::texts(12)),
            column("char(6)", &["", "a", "abcdef"], any::texts(6)),
            column("\"char\"", &["", "a", "\\"], any::words(1)),
            column("name", &["", "pg_class", "quoted \" name"], any::texts(12)),
        ],
    )
}

fn times() -> Family {
    const DATES: &[&str] = &[
        "infinity",
        "-infinity",
        "4713-01-01 BC",
        "0001-12-31 BC",
        "0001-01-01",
        "5874897-12-31",
        "2000-02-29",
        "1900-02-28",
    ];
    const STAMPS: &[&str] = &[
        "infinity",
        "-infinity",
        "4713-01-01 00:00:00 BC",
        "0001-12-31 23:59:59.999999 BC",
        "294247-01-10 04:00:54",
        "262143-01-01",
        "1969-12-31 23:59:59.999999",
        "1970-01-01",
    ];
    const ZONED: &[&str] = &[
        "infinity",
        "-infinity",
        "4713-01-02 00:00:00+00 BC",
        "0044-03-15 12:00:00.5+00 BC",
        "294276-12-31 23:59:59+00",
        "262143-01-01 00:00:00+00",
        "1970-01-01 00:00:00+02",
    ];
    // As a time of day that is in UTC; where a day ends is no other day's beginning.
    const UTC: &str = "CASE WHEN {}::text = '24:00:00+00' THEN {} ELSE {} AT TIME ZONE 'UTC' END";
    // ISO 8601 has no such time in Java's form.
    const DAY: &str = "CASE WHEN {} = '24:00' THEN '00:00' ELSE {} END";
    // Microseconds, a month counting a twelfth of 365.25 days.
    const MICROS: &str = "CASE WHEN {} IS NOT NULL THEN least(9223372036854775807, greatest(-9223372036854775808, trunc((extract(year FROM {}) * 12 + extract(month FROM {})) * 2629800000000 + extract(day FROM {}) * 86400000000
        + (extract(hour FROM {}) * 60 + extract(minute FROM {})) * 60000000 + extract(microseconds FROM {})))) END";
    const INTERVALS: &[&str] = &[
        "0",
        "1 year 2 mons 3 days 04:05:06.789",
        "-1 year -2 days +03:00:00",
        "-00:00:00.000001",
        "-1 mons +1 day -00:00:01",
        "290000 years",
        "178000000 years",
        "-178000000 years -2562047788:00:54.775807",
        "-290000 years",
        "2562047788:00:54.775807",
    ];
    family(
        "times",
        vec![
            column("date", DATES, any::dates()),
            column("time", &["00:00:00", "24:00:00", "23:59:59.999999"], any::times())
                .seen_as_text(DAY, None),
            column("time(0)", &["24:00:00", "00:00:01"], any::times()).seen_as_text(DAY, None),
            column("time(3)", &["24:00:00", "23:59:59.999"], any::times()).seen_as_text(DAY, None),
            column("timestamp", STAMPS, any::timestamps()).only_as_text(&["294276-12-31 23:59:59.999999"]),
            column("timestamp(0)", &["infinity", "-infinity", "1969-12-31 23:59:58"], any::timestamps()),
            column(
                "timestamp(3)",
                &["infinity", "-infinity", "0044-03-15 12:00:00.001 BC"],
                any::timestamps(),
            ),
            column("timestamptz", ZONED, any::timestamps_with_zone()),
            column(
                "timestamptz(0)",
                &["infinity", "-infinity", "1969-12-31 23:59:58+00"],
                any::timestamps_with_zone(),
            ),
            column(
                "timestamptz(3)",
                &["infinity", "-infinity", "12345-03-15 12:00:00.001+00"],
                any::timestamps_with_zone(),
            ),
            column(
                "timetz",
                &["24:00:00+00", "23:59:59.999999-15:59", "00:00:00+15:59:59", "24:00:00-01"],
                any::times_with_zone(),
            )
            .seen_always(UTC, None),
            column("timetz(2)", &["00:00:00.01+14"], any::times_with_zone()).seen_always(UTC, None),
            column("interval", INTERVALS, any::intervals()).seen(MICROS, Some("numeric")),
            column("interval(2)", &["-00:00:00.5", "1 day -23:59:59.99"], any::intervals())
                .seen(MICROS, Some("numeric")),
        ],
    )
}

fn addresses() -> Family {
    family(
        "addresses",
        vec![
            column(
                "uuid",
                &["00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
                any::uuids(),
            ),
            column("inet", &["0.0.0.0", "::", "192.168.0.1/24", "::ffff:1.2.3.4"], any::addresses(false)),
            column("cidr", &["0.0.0.0/0", "10.1/16", "2001:db8::/32"], any::addresses(true)),
            column("macaddr", &["00:00:00:00:00:00", "08-00-2b-01-02-03"], any::hardware_addresses(6)),
            column("macaddr8", &["08:00:2b:01:02:03"], any::hardware_addresses(8)),
        ],
    )
}

fn documents() -> Family {
    family(
        "documents",
        vec![
            column("json", &["{}", "{\"a\" :  1, \"a\": 2}", "[1,2.50, \"\\u00fc\"]", "null"], any::json()),
            column("jsonb", &["{}", "{\"b\": 1, \"a\": [null, 1.50, 1e100]}", "\"\\\"\""], any::json()),
            column("jsonpath", &["$", "$.a[*] ? (@ > 1)"], any::paths()),
            column("xml", &["", "<a/>", "text &lt; only"], any::xml()),
            column("tsvector", &["", "'it''s':1A,3 b"], any::documents()),
            column("tsquery", &["", "a & !b"], any::queries()),
        ],
    )
}

fn bits() -> Family {
    const WITHOUT_ZEROS: &str = "ltrim({}::text, '0')";
    family(
        "bits",
        vec![
            column(
                "bytea",
                &["", "\\x00", "\\x5c", "\\x5f5f646562657a69756d5f756e617661696c61626c655f76616c7565ff"],
                any::bytes(),
            ),
            column("bit(1)", &["0", "1"], any::bits(1..=1)),
            column("bit(8)", &["00000000", "11111111", "00000001", "10000000"], any::bits(8..=8)),
            column("bit(70)", &[], any::bits(70..=70)),
            column("varbit(1)", &["0", "1"], any::bits(1..=1)),
            column("varbit(17)", &["", "0", "00000000000000001"], any::bits(0..=17))
                .seen_always("lpad({}::text, 17, '0')", Some("text")),
            column("varbit", &["", "0", "0001"], any::bits(0..=80)).seen_always(WITHOUT_ZEROS, Some("text")),
        ],
    )
}

fn ranges() -> Family {
    let multirange = any::multiranges;
    family(
        "ranges",
        vec![
            column("int4range", &["empty", "(,)", "[1,2147483647)"], any::int_ranges()),
            column("int8range", &["empty", "[-9223372036854775808,)"], any::int_ranges()),
            column("numrange", &["empty", "[1.50,2.50]", "[-Infinity,NaN]"], any::numeric_ranges()),
            column("daterange", &["empty", "[infinity,)", "[0044-03-15 BC,)"], any::date_ranges()),
            column("tsrange", &["empty", "(-infinity,infinity)"], any::timestamp_ranges()),
            column("tstzrange", &["empty", "[2020-01-01 00:00:00+02,)"], any::timestamp_ranges()),
            column("int4multirange", &["{}", "{[1,3),[5,)}"], multirange(any::int_ranges())),
            column("int8multirange", &["{}"], multirange(any::int_ranges())),
            column("nummultirange", &["{}"], multirange(any::numeric_ranges())),
            column("datemultirange", &["{}"], multirange(any::date_ranges())),
            column("tsmultirange", &["{}"], multirange(any::timestamp_ranges())),
            column("tstzmultirange", &["{}"], multirange(any::timestamp_ranges())),
        ],
    )
}

fn own() -> Family {
    let moods = || any::one_of(&["sad", "a,b", "it's \"so\"", "{x}"]);
    let columns = vec![
        column("mood", &["sad"], moods()),
        column("mood[]", &["{}", "{NULL,sad}"], arrays(moods(), 4)),
        column("price", &["0", "-99999999.99"], any::decimals(8, 1)),
        column("price[]", &["{}", "{1.5}"], arrays(any::decimals(8, 1), 4)),
        column("dear", &["12.34"], any::decimals(8, 1)),
        column("tags", &["{}", "{a,NULL}"], arrays(any::texts(6), 4)),
        column("pair", &["(,)", "(1,\"\")"], any::composites()),
        column("pair[]", &["{}", "{NULL,\"(,)\"}"], arrays(any::composites(), 3)),
        column("floats", &["[1.5,2]", "empty"], any::numeric_ranges()),
    ];
    Family {
        setup: "CREATE TYPE mood AS ENUM ('sad', 'a,b', 'it''s \"so\"', '{x}');
            CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > -1e9); CREATE DOMAIN dear AS price;
            CREATE DOMAIN tags AS text[]; CREATE TYPE pair AS (n integer, t text);
            CREATE TYPE floats AS RANGE (subtype = float8)",
        ..family("own", columns)
    }
}

fn shapes() -> Family {
    family(
        "shapes",
        vec![
            column("point", &["(0,0)", "(-0,1e-300)", "(Infinity,NaN)"], any::points()),
            column("line", &["{1,2,3}"], any::lines()),
            column("lseg", &["[(0,0),(1,1)]"], any::shapes("[", "]", 2..=2)),
            column("box", &["(1,1),(0,0)"], any::shapes("", "", 2..=2)),
            column("path", &["[(0,0)]", "((0,0),(1,2))"], any::shapes("[", "]", 1..=4)),
            column("polygon", &["((0,0),(1,2))"], any::shapes("(", ")", 1..=4)),
            column("circle", &["<(0,0),0>"], any::circles()),
            column("point[]", &["{}", "{NULL,\"(1,2)\"}"], arrays(any::points(), 3)),
            // Between boxes stand semicolons.
            column(
                "box[]",
                &["{}", "{(1,1),(0,0);(3,3),(2,2)}"],
                any::separated(any::shapes("", "", 2..=2), 3, ";"),
            ),
        ],
    )
}

fn lists() -> Family {
    family(
        "lists",
        vec![
            column("smallint[]", &["{}", "{NULL}", "{-32768,32767}"], arrays(any::int2(), 5)),
            column("integer[]", &["{}", "{NULL,1}"], arrays(any::int4(), 5)),
            column("bigint[]", &["{}"], arrays(any::int8(), 5)),
            column("boolean[]", &["{t,f,NULL}"], arrays(any::booleans(), 5)),
            column("real[]", &["{NaN,-Infinity,-0}"], arrays(any::float4(), 4)),
            column("double precision[]", &["{NaN,Infinity}"], arrays(any::float8(), 4)),
            column("numeric(10,2)[]", &["{}", "{1.50,NULL}"], arrays(any::decimals(8, 1), 4)),
            column("numeric[]", &["{}", "{1.50,NULL,100}"], arrays(any::decimals(8, 9), 4)).seen(
                "CASE WHEN {} IS NOT NULL THEN ARRAY(SELECT trim_scale(e) FROM unnest({}) WITH ORDINALITY u (e, n) ORDER BY n) END",
                None,
            ),
            column("text[]", &["{}", "{\"\",NULL,\"NULL\",\"a\\\\b\\\"c\"}"], arrays(any::texts(6), 4)),
            column("varchar(3)[]", &["{}"], arrays(any::texts(3), 4)),
            column("char(3)[]", &["{a,abc}"], arrays(any::texts(3), 4)),
            column("name[]", &["{}"], arrays(any::words(3), 4)),
            column("bytea[]", &["{}", "{\"\\\\x\",\"\\\\x00\"}"], arrays(any::bytes(), 3)),
            column("money[]", &["{}"], arrays(any::money(), 3)).seen_always("{}::numeric[]", Some("numeric[]")),
            column("oid[]", &["{}"], arrays(any::unsigned(), 3)),
            column("int2vector", &["", "1 2"], any::int2()),
        ],
    )
}

fn more_lists() -> Family {
    family(
        "more_lists",
        vec![
            column("date[]", &["{}", "{infinity,\"0044-03-15 BC\"}"], arrays(any::dates(), 4)),
            column("time[]", &["{}", "{24:00:00}"], arrays(any::times(), 4)).seen_as_text(
                "CASE WHEN {} IS NOT NULL THEN ARRAY(SELECT CASE WHEN e = '24:00' THEN '00:00' ELSE e END FROM unnest({}) WITH ORDINALITY u (e, n) ORDER BY n) END",
                None,
            ),
            column("timestamp[]", &["{}", "{infinity,NULL}"], arrays(any::timestamps(), 4)),
            column("timestamptz[]", &["{}", "{-infinity}"], arrays(any::timestamps_with_zone(), 4)),
            column("uuid[]", &["{}"], arrays(any::uuids(), 3)),
            column("json[]", &["{}", "{null,NULL}"], arrays(any::json(), 3)),
            column("jsonb[]", &["{}"], arrays(any::json(), 3)),
            column("xml[]", &["{}"], arrays(any::xml(), 3)),
            column("inet[]", &["{}"], arrays(any::addresses(false), 3)),
            column("macaddr[]", &["{}"], arrays(any::hardware_addresses(6), 3)),
            column("bit(9)[]", &["{}"], arrays(any::bits(9..=9), 3)),
            column("int4range[]", &["{}", "{empty,\"[1,2)\"}"], arrays(any::int_ranges(), 3)),
            column("nummultirange[]", &["{}"], arrays(any::multiranges(any::numeric_ranges()), 3)),
            column("tsvector[]", &["{}"], arrays(any::documents(), 3)),
        ],
    )
}
