//! Canonical text as values of Trino's types, the same values that Spark makes of it (`spark_sql`).
//!
//! Trino shows Delta's timestamps with time zone in milliseconds and drops what is behind them, where its casts would round.

use crate::SourceType;

const FIRST_DATE: &str = "DATE '0001-01-01'";
const LAST_DATE: &str = "DATE '9999-12-31'";
const FIRST_TIME: &str = "0001-01-01 00:00:00";
const LAST_TIME: &str = "9999-12-31 23:59:59.999999";
const LAST_MILLISECOND: &str = "9999-12-31 23:59:59.999";
/// The last instant of 64 bits of microseconds; casts of later ones overflow without an error.
const LAST_MICROSECOND: &str = "294247-01-10 04:00:54.775807";

impl SourceType {
    /// Trino SQL: a canonical text (a varchar, or of an array its elements' varchars) as a value of [`SourceType::trino`].
    pub fn trino_canonical(&self, text: &str) -> String {
        self.trino_text(text, 0)
    }

    fn trino_text(&self, text: &str, depth: u8) -> String {
        match self {
            Self::Text(_) => text.to_owned(),
            // Decimals have no NaN.
            Self::Numeric(..) => format!("CAST(nullif({text}, 'NaN') AS {})", self.trino()),
            Self::Date => infinite(
                text,
                FIRST_DATE,
                LAST_DATE,
                // Unlike a cast to date, one to timestamp reads years of any sign and length.
                &format!("CAST(CAST({} AS timestamp(0)) AS date)", astronomical(text)),
            ),
            Self::Timestamp(_) => {
                let last = format!("TIMESTAMP '{LAST_TIME}'");
                let cast = format!("CAST({} AS {})", astronomical(text), self.trino());
                let finite = format!(
                    "CASE WHEN {text} LIKE '294___-%' AND {text} > '{LAST_MICROSECOND}' THEN {last} ELSE {cast} END"
                );
                infinite(text, &format!("TIMESTAMP '{FIRST_TIME}.000000'"), &last, &finite)
            }
            Self::TimestampTz(_) => {
                let end = |end: &str| format!("CAST(TIMESTAMP '{end} UTC' AS {})", self.trino());
                let in_millis =
                    format!("regexp_replace(replace({text}, '+00', ''), '(\\.[0-9]{{3}})[0-9]+', '$1')");
                let instant = format!("{} || ' UTC'", astronomical(&in_millis));
                // Trino's own years with a zone end at 73326.
                let finite = format!(
                    "CASE WHEN strpos({text}, '-') > 5 THEN coalesce(try_cast({instant} AS {0}), {1}) ELSE CAST({instant} AS {0}) END",
                    self.trino(),
                    end(LAST_MILLISECOND),
                );
                infinite(text, &end(FIRST_TIME), &end(LAST_MILLISECOND), &finite)
            }
            Self::Bytes => format!("from_hex(substr({text}, 3))"),
            Self::Array(element) => {
                let variable = format!("x{depth}");
                format!("transform({text}, {variable} -> {})", element.trino_text(&variable, depth + 1))
            }
            plain => format!("CAST({text} AS {})", plain.trino()),
        }
    }

    /// The Trino type of canonical text.
    pub fn trino_text_type(&self) -> String {
        match self {
            Self::Array(element) => format!("array({})", element.trino_text_type()),
            _ => "varchar".to_owned(),
        }
    }
}

fn infinite(text: &str, first: &str, last: &str, finite: &str) -> String {
    format!("CASE {text} WHEN 'infinity' THEN {last} WHEN '-infinity' THEN {first} ELSE {finite} END")
}

/// The text of a date or time with ISO's years, of which 0 is 1 BC.
fn astronomical(text: &str) -> String {
    format!(
        "CASE WHEN {text} LIKE '% BC' THEN '-' || lpad(CAST(CAST(split_part({text}, '-', 1) AS integer) - 1 AS varchar), 4, '0') || \
         substr({text}, strpos({text}, '-'), length({text}) - strpos({text}, '-') - 2) ELSE {text} END"
    )
}

#[cfg(test)]
mod tests {
    use crate::SourceType;

    #[test]
    fn arrays_are_typed_by_element() {
        let check = |source: &str, expected: &str| {
            let source: SourceType = source.parse().unwrap();
            assert_eq!(source.trino_canonical("t"), expected, "{source}");
        };
        check("text", "t");
        check("text[]", "transform(t, x0 -> x0)");
        check("integer[]", "transform(t, x0 -> CAST(x0 AS integer))");
        check("numeric(8,3)", "CAST(nullif(t, 'NaN') AS decimal(8,3))");
        check("bytea", "from_hex(substr(t, 3))");
        check("oid", "CAST(t AS bigint)");
    }
}
