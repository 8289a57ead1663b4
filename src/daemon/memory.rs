//! Returns unused memory to the kernel.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::counters::Counters;
use crate::devices::Devices;
use crate::rules::RuleSet;
use crate::sys;

/// How often memory is returned.
const PERIOD: Duration = Duration::from_secs(20);

/// The running task.
pub struct Memory(JoinHandle<()>);

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Memory {
    /// Starts it.
    pub fn start(
        rules: watch::Receiver<Arc<RuleSet>>,
        counters: Arc<Counters>,
        devices: Arc<Devices>,
    ) -> Self {
        Memory(tokio::spawn(run(rules, counters, devices)))
    }
}

/// What a burst needed is freed all over the heap, which the C library keeps. What was compiled for lines that do not come
/// any more is dropped.
async fn run(rules: watch::Receiver<Arc<RuleSet>>, counters: Arc<Counters>, devices: Arc<Devices>) {
    let matched = || counters.entries_matched.get() + counters.entries_untrusted.get();
    let mut before = None;
    loop {
        tokio::time::sleep(PERIOD).await;
        let now = matched();
        let in_force = (before == Some(now)).then(|| rules.borrow().clone());
        before = Some(now);
        let devices = devices.clone();
        let work = move || {
            // Answers are good for a moment only.
            devices.forget();
            if let Some(rules) = in_force {
                rules.forget();
            }
            sys::give_back_memory();
        };
        let _ = tokio::task::spawn_blocking(work).await;
    }
}
