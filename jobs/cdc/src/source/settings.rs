//! The settings of our sessions: none that a server, a database or a role brings along may change what is read.

/// Every setting of PostgreSQL 13 and later that changes how a value or an expression is printed, which rows a statement
/// sees, how our statements are read, or when they are broken off; from the chapters "Client Connection Defaults" and
/// "Version and Platform Compatibility" of its documentation. An ordinary role may set all of them. Snapshot, stream and
/// catalog have the same.
const PINNED: [(&str, &str); 26] = [
    // How values are printed.
    ("datestyle", "ISO,MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("timezone_abbreviations", "Default"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("xmlbinary", "base64"),
    ("xmloption", "content"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    // How names and expressions are printed and read.
    ("search_path", "\"$user\",public"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("backslash_quote", "safe_encoding"),
    ("escape_string_warning", "off"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    // An error instead of rows that a policy hides.
    ("row_security", "off"),
    // What a transaction of ours is like, and how long it may take.
    ("default_transaction_isolation", "read\\ committed"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_deferrable", "off"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("client_min_messages", "warning"),
];

/// Those that came with later versions, for which there is a statement instead of an option.
pub(crate) const PIN_LATER_ONES: &str = "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings \
     WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

/// The settings as the option of a session's start.
pub(crate) fn session_options() -> String {
    let options: Vec<String> = PINNED.iter().map(|(name, value)| format!("-c {name}={value}")).collect();
    options.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_setting_is_pinned() {
        let options = session_options();
        for name in [
            "row_security",
            "lc_monetary",
            "lc_numeric",
            "lc_time",
            "datestyle",
            "intervalstyle",
            "timezone",
            "extra_float_digits",
            "bytea_output",
            "xmlbinary",
            "xmloption",
            "search_path",
            "quote_all_identifiers",
            "standard_conforming_strings",
            "default_transaction_read_only",
            "default_transaction_isolation",
            "default_transaction_deferrable",
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "array_nulls",
            "transform_null_equals",
            "client_min_messages",
        ] {
            assert!(options.contains(&format!("-c {name}=")), "{name}");
        }
        // A blank separates options, unless a backslash stands before it.
        let parts = options.replace("\\ ", "_");
        assert_eq!(parts.split(' ').count(), 2 * PINNED.len());
        assert!(options.contains(r#"-c search_path="$user",public "#), "{options}");
    }
}
