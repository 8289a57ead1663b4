//! Reloads the configuration on SIGHUP.
//!
//! A configuration with any error is not applied at all: the old one stays in force, and the log,
//! systemd's STATUS and GetStatus say so.

use std::sync::Arc;

use tokio::sync::watch;

use super::store_switch::StoreSwitch;
use super::DaemonError;
use crate::config::{Config, ConfigSource, ConfigState};
use crate::correlate::burst;
use crate::journal::{self, Location};
use crate::notifier::Notifiers;
use crate::rules::{builtin, RuleSet};
use crate::sd_notify;
use crate::store::readback::StartAt;
use crate::varlink::limits::Limits;

/// Reads and applies the configuration.
pub struct Reloader {
    /// Where it is.
    pub source: ConfigSource,
    /// The rules in force; the reader adopts new ones between two entries.
    pub rules: watch::Sender<Arc<RuleSet>>,
    /// What is known of the configuration.
    pub state: watch::Sender<ConfigState>,
    /// How bursts are counted.
    pub burst: watch::Sender<burst::Settings>,
    /// Limits on connections.
    pub limits: watch::Sender<Limits>,
    /// Journal that is read, for messages.
    pub journal: Location,
}

/// The user's rules, then the built-in ones.
pub fn rule_set(config: &Config) -> Result<RuleSet, DaemonError> {
    Ok(RuleSet::bounded(config.rules.iter().cloned().chain(builtin::rules()?)))
}

impl Reloader {
    /// Reads the configuration and applies it if nothing is wrong with it.
    pub async fn reload(&self, store: &mut StoreSwitch, notifiers: &mut Notifiers) {
        sd_notify::reloading();
        match self.apply(store, notifiers).await {
            Ok(()) => tracing::info!("configuration reloaded: {}", self.status()),
            Err(e) => {
                tracing::error!("the configuration is not applied, the old one stays in force:\n{e}");
                self.state.send_modify(|state| state.error = Some(e.to_string()));
            }
        }
        sd_notify::ready(&self.status());
    }

    async fn apply(&self, store: &mut StoreSwitch, notifiers: &mut Notifiers) -> Result<(), DaemonError> {
        let config = tokio::task::block_in_place(|| self.source.load())?;
        let rules = Arc::new(rule_set(&config)?);
        // The store last stored something before now: nothing of it covers what is still to come.
        store.apply(config.main.save_to_journald, StartAt::Time(journal::now())).await?;
        notifiers.apply(config.notifiers()).await;
        config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        self.rules.send_replace(rules);
        self.burst.send_replace(config.burst);
        self.state.send_replace(ConfigState::loaded(&config));
        self.limits.send_replace(config.limits);
        Ok(())
    }

    /// Updates the trouble shown in systemd's STATUS.
    pub fn report_trouble(&self, before: &mut Option<String>, now: Option<String>) {
        if *before != now {
            match &now {
                Some(trouble) => sd_notify::status(&format!("{}; {trouble}", self.status())),
                None => sd_notify::status(&self.status()),
            }
            *before = now;
        }
    }

    /// One line for people.
    pub fn status(&self) -> String {
        let status = format!("Reading the {} with {} rules", self.journal, self.rules.borrow().len());
        match &self.state.borrow().error {
            Some(_) => format!("{status}; the new configuration has errors, the old one stays in force"),
            None => status,
        }
    }
}
