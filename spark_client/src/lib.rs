//! Asynchronous client for Apache Spark Connect.
