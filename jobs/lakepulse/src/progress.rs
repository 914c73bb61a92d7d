//! Telling people how far a long command is: bars in a terminal, plain lines elsewhere.

use std::future::Future;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The steps of one command.
pub struct Progress {
    started: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Begins now.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Says which step begins.
    pub fn step(&self, about: &str) {
        println!("[{:4.0} s] {about}", self.started.elapsed().as_secs_f64());
    }

    /// Says something about the step.
    pub fn note(&self, text: &str) {
        println!("         {text}");
    }

    /// Shows a bar of so many seconds while something runs, where there is a terminal.
    pub async fn with_bar<T>(&self, seconds: u64, work: impl Future<Output = T>) -> T {
        if !std::io::stdout().is_terminal() {
            return work.await;
        }
        let bar = ProgressBar::new(seconds);
        if let Ok(style) = ProgressStyle::with_template("         {wide_bar} {pos}/{len} s") {
            bar.set_style(style);
        }
        let ticking = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                bar.inc(1);
            }
        };
        let done = tokio::select! {
            done = work => done,
            never = ticking => never,
        };
        bar.finish_and_clear();
        done
    }
}
