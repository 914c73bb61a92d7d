//! Keeps the wanted services running: in the order of their needs, restarted when they die, stopped in reverse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::watch;

use crate::error::{Error, Result, chain};
use crate::layout::Layout;
use crate::log_file::LogFile;
use crate::process::{self, last_lines};
use crate::readiness;
use crate::service::Service;
use crate::services;
use crate::status::{State, Status};

/// How often a service may die, without having been ready for a while in between, before it counts as failed.
const MAX_FAILURES: u32 = 5;

/// A service that was ready this long starts with a clean slate when it dies.
const SETTLED: Duration = Duration::from_secs(60);

/// What is wanted: services by name, until everything shall end.
#[derive(Debug, Default, Clone)]
struct Wanted {
    services: BTreeSet<&'static str>,
    ending: bool,
}

/// The services of one stack and their keepers.
#[derive(Debug)]
pub struct Supervisor {
    services: Vec<Service>,
    wanted: watch::Sender<Wanted>,
    statuses: watch::Sender<BTreeMap<&'static str, Status>>,
}

impl Supervisor {
    /// A supervisor that wants nothing yet. Spawns one task per service on the current Tokio runtime, which must be
    /// of one thread: the kernel ends the servers when the *thread* that started them ends.
    pub fn start(layout: &Layout) -> Result<Arc<Self>> {
        layout.clear_temporary()?;
        let services = services::all(layout)?;
        let statuses = services.iter().map(|service| (service.name, Status::default())).collect();
        let supervisor = Arc::new(Self {
            services,
            wanted: watch::Sender::new(Wanted::default()),
            statuses: watch::Sender::new(statuses),
        });
        for service in &supervisor.services {
            let keeper = Keeper {
                service: service.clone(),
                dependents: supervisor.dependents(service.name),
                log: layout.log(service.name),
                wanted: supervisor.wanted.subscribe(),
                supervisor: supervisor.clone(),
            };
            tokio::spawn(keeper.keep());
        }
        Ok(supervisor)
    }

    fn dependents(&self, name: &str) -> Vec<&'static str> {
        self.services
            .iter()
            .filter(|service| service.needs.contains(&name))
            .map(|service| service.name)
            .collect()
    }

    /// The services that profile and service names stand for, with what they need.
    pub fn select(&self, names: &[String]) -> Result<Vec<&'static str>> {
        services::select(&self.services, names)
    }

    /// Wants these services from now on; one that has failed is tried anew.
    pub fn want(&self, names: &[&'static str]) {
        for name in names {
            self.change(name, |status| {
                if matches!(status.state, State::Failed) {
                    status.state = State::Stopped;
                    status.message.clear();
                }
            });
        }
        self.wanted.send_modify(|wanted| wanted.services.extend(names));
    }

    /// Stops these services alone; others that need them go on, as they would when a server fails.
    pub fn unwant(&self, names: &[&'static str]) {
        self.wanted.send_modify(|wanted| wanted.services.retain(|name| !names.contains(name)));
    }

    /// Sends a signal to a service's process group, as a fault would come.
    pub fn signal(&self, name: &str, signal: nix::sys::signal::Signal) -> Result<()> {
        let status = self.statuses.borrow().get(name).cloned();
        match status.and_then(|status| status.pid) {
            Some(pid) => {
                process::send(pid, signal, true);
                Ok(())
            }
            None => Err(Error::new(format!("{name} is not running"))),
        }
    }

    /// All services by name with what they are doing.
    pub fn statuses(&self) -> BTreeMap<&'static str, Status> {
        self.statuses.borrow().clone()
    }

    /// Stops everything in reverse order of needs and returns when nothing runs any more.
    pub async fn end(&self) {
        self.wanted.send_modify(|wanted| {
            wanted.ending = true;
            wanted.services.clear();
        });
        let mut statuses = self.statuses.subscribe();
        let _ = statuses.wait_for(|all| all.values().all(|status| status.pid.is_none())).await;
    }

    fn change(&self, name: &'static str, change: impl FnOnce(&mut Status)) {
        self.statuses.send_modify(|all| change(all.entry(name).or_default()));
    }
}

/// Keeps one service.
struct Keeper {
    service: Service,
    dependents: Vec<&'static str>,
    log: std::path::PathBuf,
    wanted: watch::Receiver<Wanted>,
    supervisor: Arc<Supervisor>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut failures = 0_u32;
        loop {
            if !self.wait_until_wanted().await {
                return;
            }
            let started = Instant::now();
            match self.run_once().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures = if started.elapsed() > SETTLED { 1 } else { failures + 1 };
                    let message = chain(&error);
                    if failures >= MAX_FAILURES || error.is_final() {
                        self.set(State::Failed, message);
                        failures = 0;
                    } else {
                        self.set(State::Restarting, message);
                        self.supervisor.change(self.service.name, |status| status.restarts += 1);
                        let pause = Duration::from_millis(500) * 2_u32.pow(failures - 1);
                        let _ = tokio::time::timeout(pause, self.until_unwanted()).await;
                    }
                }
            }
        }
    }

    fn set(&self, state: State, message: impl Into<String>) {
        let message = message.into();
        self.supervisor.change(self.service.name, |status| {
            status.state = state;
            status.message = message;
            status.since = Instant::now();
        });
    }

    /// False when everything ends before this service is wanted.
    async fn wait_until_wanted(&mut self) -> bool {
        let name = self.service.name;
        let mut statuses = self.supervisor.statuses.subscribe();
        loop {
            let (wanted, ending) = {
                let wanted = self.wanted.borrow_and_update();
                (wanted.services.contains(name), wanted.ending)
            };
            if ending {
                return false;
            }
            let failed =
                statuses.borrow_and_update().get(name).is_some_and(|status| status.state == State::Failed);
            if wanted && !failed {
                return true;
            }
            if !wanted && !failed {
                let idle = statuses.borrow().get(name).is_some_and(|status| status.state == State::Stopped);
                if !idle {
                    self.set(State::Stopped, "");
                }
            }
            tokio::select! {
                changed = self.wanted.changed() => if changed.is_err() { return false },
                _ = statuses.changed() => {}
            }
        }
    }

    async fn until_unwanted(&self) {
        let name = self.service.name;
        let mut wanted = self.wanted.clone();
        let _ = wanted.wait_for(|wanted| !wanted.services.contains(name)).await;
    }

    /// Starts the service and watches it until it is no longer wanted (Ok) or has died or never came up (an error).
    async fn run_once(&self) -> Result<()> {
        self.set(State::Waiting, "");
        tokio::select! {
            () = self.until_needs_are_ready() => {}
            () = self.until_unwanted() => return Ok(()),
        }
        self.set(State::Starting, "");
        let mut child = tokio::select! {
            child = self.launch() => child?,
            () = self.until_unwanted() => return Ok(()),
        };
        let pid = child.id().unwrap_or_default();
        self.supervisor.change(self.service.name, |status| status.pid = Some(pid));
        let outcome = tokio::select! {
            outcome = self.watch(&mut child, pid) => outcome,
            () = self.until_unwanted() => Ok(()),
        };
        if outcome.is_ok() {
            self.set(State::Stopping, "");
            self.until_dependents_have_stopped().await;
            process::send(pid, self.service.stop_signal, self.service.stop_group);
            let _ = tokio::time::timeout(self.service.stop_limit, child.wait()).await;
        }
        process::end_group(pid, if outcome.is_ok() { self.service.stop_limit } else { Duration::ZERO }).await;
        let _ = child.wait().await;
        self.supervisor.change(self.service.name, |status| status.pid = None);
        outcome
    }

    async fn until_needs_are_ready(&self) {
        let mut statuses = self.supervisor.statuses.subscribe();
        let needs = self.service.needs;
        let ready = |all: &BTreeMap<&'static str, Status>| {
            needs.iter().all(|need| all.get(need).is_some_and(|status| status.state == State::Ready))
        };
        let _ = statuses.wait_for(ready).await;
    }

    /// When everything ends, what needs this service ends first.
    async fn until_dependents_have_stopped(&self) {
        if !self.wanted.borrow().ending {
            return;
        }
        let mut statuses = self.supervisor.statuses.subscribe();
        let stopped = |all: &BTreeMap<&'static str, Status>| {
            self.dependents.iter().all(|name| all.get(name).is_none_or(|status| status.pid.is_none()))
        };
        let _ = statuses.wait_for(stopped).await;
    }

    async fn launch(&self) -> Result<Child> {
        readiness::require_free_ports(&self.service)?;
        for step in &self.service.before {
            process::run_step(step).await?;
        }
        process::spawn(&self.service.program, LogFile::open(&self.log)?)
    }

    /// Ends only with an error: the service died, or did not become ready in time.
    async fn watch(&self, child: &mut Child, pid: u32) -> Result<()> {
        let became_ready = async {
            readiness::until_ready(&self.service, pid).await;
            for step in &self.service.after {
                process::run_step(step).await?;
            }
            Ok(())
        };
        tokio::select! {
            ready = tokio::time::timeout(self.service.start_limit, became_ready) => match ready {
                Ok(outcome) => outcome?,
                Err(_) => return Err(Error::new(format!(
                    "{} was not ready after {} s; its log ends:\n{}",
                    self.service.name, self.service.start_limit.as_secs(), self.log_end()
                ))),
            },
            exit = child.wait() => return Err(self.died(exit)),
        }
        self.set(State::Ready, "");
        Err(self.died(child.wait().await))
    }

    fn died(&self, exit: std::io::Result<std::process::ExitStatus>) -> Error {
        let how = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
        Error::new(format!("{} ended ({how}); its log ends:\n{}", self.service.name, self.log_end()))
    }

    fn log_end(&self) -> String {
        last_lines(&String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()), 5)
    }
}
