//! What both clients are measured by: the same rows, the same output.

use std::{error::Error, fs, time::Duration};

/// What a measurement may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Rows of the collect, 35 bytes of Arrow each.
pub const COLLECTED: i64 = 4_000_000;
/// Partitions of the collect; the server sends a partition when it is whole.
pub const PARTITIONS: i32 = 8;
/// The columns of the collect and of the upload.
pub const COLUMNS: [&str; 3] = ["id", "id * 0.5D AS amount", "concat('customer', id) AS name"];
/// Rows of the upload.
pub const UPLOADED: i64 = 1_000_000;
/// Plans of 100 columns.
pub const PLANS: i64 = 200;
/// Columns of a plan.
pub const PLAN_COLUMNS: i64 = 100;
/// Queries before and while `select 1` is timed.
pub const QUERIES: (usize, usize) = (30, 300);

/// One line of JSON: milliseconds, what else was measured, and the most memory that this process had.
pub fn report(elapsed: Duration, more: &[(&str, f64)]) -> Result<(), Failure> {
    let mut line = format!("{{\"ms\": {:.3}, \"rss_mib\": {:.1}", milliseconds(elapsed), peak_mib()?);
    for (name, value) in more {
        line += &format!(", \"{name}\": {value:.3}");
    }
    println!("{line}}}");
    Ok(())
}

/// Runs a query again and again, and reports its median and its 99th percentile.
pub fn report_latencies(mut latencies: Vec<Duration>) -> Result<(), Failure> {
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share).round() as usize];
    report(at(0.5), &[("p99_ms", milliseconds(at(0.99)))])
}

/// An error unless as many rows came as there are.
pub fn require_rows(found: usize, expected: i64) -> Result<(), Failure> {
    if found as i64 == expected { Ok(()) } else { Err(format!("{found} rows, expected {expected}").into()) }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The kernel's high-water mark of this process' resident memory.
fn peak_mib() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no value of VmHWM")?.parse()?;
    Ok(kib / 1024.0)
}
