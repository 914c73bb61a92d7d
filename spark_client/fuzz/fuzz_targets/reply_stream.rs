//! Response streams that are cut, reordered, repeated, or mixed with those of others: the result is exact or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spark_client::fuzzing::RepliesUnderTest;
use std::panic;

thread_local! {
    // One server and one session for all runs: they have no state that a run leaves behind.
    static REPLIES: RepliesUnderTest = {
        let replies = RepliesUnderTest::new().expect("a server on a free port");
        replies.undisturbed().expect("the result without a disturbance");
        replies
    };
}

fuzz_target!(init: panics_of_arrow_are_caught(), |script: &[u8]| {
    REPLIES.with(|replies| {
        if let Err(broken) = replies.check(script) {
            panic!("{broken}");
        }
    });
});

/// The client turns them into errors; libFuzzer ends the process at every panic, caught or not.
fn panics_of_arrow_are_caught() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("/arrow-")) {
            end(info);
        }
    }));
}
