//! Any text is either refused or an address; neither way is a panic, and neither shows a secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spark_client::ConnectionString;

/// A value that no other part of a text has by chance.
const SECRET: &str = "hush-4711";

fuzz_target!(|text: &str| {
    shown(text);
    // The names of headers are shown, in lower case; decoded values are too.
    let says_it_itself = text.to_ascii_lowercase().contains("hush") || text.contains('%');
    for with_secret in [format!("sc://host/;token={SECRET};{text}"), format!("sc://{text}/;x-key={SECRET}")] {
        let shown = shown(&with_secret);
        assert!(says_it_itself || !shown.contains(SECRET), "{shown} of {with_secret:?}");
    }
});

/// What a log would show of the parsed text, or of the error.
fn shown(text: &str) -> String {
    let parsed = text.parse::<ConnectionString>();
    let debug = format!("{parsed:?}");
    match parsed {
        Ok(target) => {
            assert!(!target.host().is_empty(), "{text:?} has no host");
            let address = target.to_string();
            let again: ConnectionString =
                address.parse().unwrap_or_else(|error| panic!("{address:?} of {text:?}: {error}"));
            assert_eq!((again.host(), again.port()), (target.host(), target.port()), "{text:?}");
            debug + &address
        }
        Err(error) => debug + &error.to_string(),
    }
}
