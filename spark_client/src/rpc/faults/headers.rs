//! What requests carry beside their messages.

use super::mock::Mock;
use crate::SparkSession;

#[tokio::test]
async fn tokens_and_headers_are_sent_and_never_shown() {
    let (mock, port) = Mock::start([]);
    let remote = format!("sc://127.0.0.1:{port}/;token=hush-1;x-team=hush-2;user_agent=tester");
    let builder = SparkSession::builder().remote(&remote).interceptor(|mut request| {
        assert!(!format!("{request:?}").contains("hush"), "{request:?}");
        request.metadata_mut().insert("x-trace", "7".parse().unwrap());
        Ok(request)
    });
    assert!(!format!("{builder:?}").contains("hush"), "{builder:?}");
    let spark = builder.connect().await.unwrap();
    assert!(!format!("{spark:?}").contains("hush"), "{spark:?}");
    assert_eq!(mock.header("authorization").as_deref(), Some("Bearer hush-1"));
    assert_eq!(mock.header("x-team").as_deref(), Some("hush-2"));
    assert_eq!(mock.header("x-trace").as_deref(), Some("7"));
}

#[tokio::test]
async fn a_token_of_the_builder_takes_the_place_of_the_one_before() {
    let (mock, port) = Mock::start([]);
    let remote = format!("sc://127.0.0.1:{port}/;token=hush-1");
    SparkSession::builder().remote(&remote).token("hush-2").connect().await.unwrap();
    assert_eq!(mock.header("authorization").as_deref(), Some("Bearer hush-2"));
}
