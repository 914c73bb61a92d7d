//! Response streams that are cut, reordered, repeated, or mixed with those of others: the result is exact or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spark_client::fuzzing::RepliesUnderTest;

thread_local! {
    // One server and one session for all runs: they have no state that a run leaves behind.
    static REPLIES: RepliesUnderTest = {
        let replies = RepliesUnderTest::new().expect("a server on a free port");
        replies.undisturbed().expect("the result without a disturbance");
        replies
    };
}

fuzz_target!(|script: &[u8]| {
    REPLIES.with(|replies| {
        if let Err(broken) = replies.check(script) {
            panic!("{broken}");
        }
    });
});
