//! Reading the metrics that a job serves.

/// The metrics of one job, as it printed them.
#[derive(Debug, Default)]
pub struct Scrape(String);

impl Scrape {
    /// Asks the job that serves at `host:port`; without an answer there are no metrics.
    pub async fn of(address: &str) -> Self {
        let Ok(answer) = reqwest::get(format!("http://{address}/metrics")).await else {
            return Self::default();
        };
        Self(answer.text().await.unwrap_or_default())
    }

    /// Asks silver, which serves at `host:port`, for a merge round soon; who waits for one waits for the next as well when it can't be asked.
    pub async fn ask_to_merge(address: &str) {
        let _ = reqwest::Client::new().post(format!("http://{address}/merge")).send().await;
    }

    /// A metric without labels.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::Scrape;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let scrape = Scrape("# TYPE lag gauge\nlag_seconds 3\nlag 1.5\n".to_owned());
        assert_eq!(scrape.value("lag"), Some(1.5));
        assert_eq!(scrape.value("lag_se"), None);
    }
}
