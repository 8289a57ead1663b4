//! The configuration: `/etc/peripetyd.conf`, drop-ins, defaults.
//!
//! [`tree`] finds the files, [`mod@file`] reads one, [`check`] has the further checks of `--check-config`.

pub mod check;
mod cost;
pub mod file;
pub mod tree;
mod varlink;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use cost::Cost;
use file::{MainTable, OwnKinds};
use tree::Places;

use crate::correlate::burst;
use crate::notifier::{settings, Configured};
use crate::rules::conditions::Kinds;
use crate::rules::rule::Rule;
use crate::rules::{Located, RuleError};
use crate::varlink::limits::Limits;

/// The merged tables `[main]` of all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Main {
    /// Print events to the standard output. Default: no.
    pub notify_stdout: bool,
    /// Store events in journald. Default: yes.
    pub save_to_journald: bool,
    /// Make an event of every block device at the start. Default: no.
    pub dump_blk_info_at_start: bool,
}

impl Default for Main {
    fn default() -> Self {
        Main { notify_stdout: false, save_to_journald: true, dump_blk_info_at_start: false }
    }
}

impl Main {
    fn override_with(&mut self, table: &MainTable) {
        let set = |value: &mut bool, new: Option<bool>| *value = new.unwrap_or(*value);
        set(&mut self.notify_stdout, table.notify_stdout);
        set(&mut self.save_to_journald, table.save_to_journald);
        set(&mut self.dump_blk_info_at_start, table.dump_blk_info_at_start);
    }
}

/// The settings of the daemon.
#[derive(Debug, Default)]
pub struct Config {
    /// The table `[main]`.
    pub main: Main,
    /// The table `[burst]`.
    pub burst: burst::Settings,
    /// The table `[varlink]`.
    pub limits: Limits,
    /// The tables `[notifiers.NAME]`.
    pub notifiers: settings::NotifierTables,
    /// The user's own rules, in the order of the files.
    pub rules: Vec<Arc<Rule>>,
    /// Kinds of conditions, when the files add any to the built-in ones.
    pub kinds: Option<Arc<Kinds>>,
    /// Files that were read, in order.
    pub files: Vec<PathBuf>,
    /// Warnings: accepted, but probably a mistake.
    pub warnings: Vec<Located>,
}

/// Where the configuration is, and the overrides of the command line.
#[derive(Clone, Debug, Default)]
pub struct ConfigSource {
    /// The files.
    pub places: Places,
    /// Print events, overriding the files.
    pub stdout: bool,
    /// Do not store events, overriding the files.
    pub no_store: bool,
}

impl ConfigSource {
    /// Reads the files.
    pub fn load(&self) -> Result<Config, ConfigErrors> {
        let mut config = Config::load(&self.places)?;
        config.main.notify_stdout |= self.stdout;
        config.main.save_to_journald &= !self.no_store;
        Ok(config)
    }
}

/// The state of the configuration in force.
#[derive(Clone, Debug, Default)]
pub struct ConfigState {
    /// Files it was read from, in order.
    pub files: Vec<String>,
    /// When it was read, µs since the epoch.
    pub loaded: u64,
    /// Why a newer one is not in force.
    pub error: Option<String>,
}

impl ConfigState {
    /// Of a configuration that was just read.
    pub fn loaded(config: &Config) -> Self {
        let files = config.files.iter().map(|path| path.display().to_string()).collect();
        ConfigState { files, loaded: crate::journal::now(), error: None }
    }
}

/// All errors of a configuration. Nothing of it is applied.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<RuleError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads all files. No file at all means the defaults; a named one must exist.
    pub fn load(places: &Places) -> Result<Self, ConfigErrors> {
        let found = places.find().map_err(|(directory, cause)| {
            ConfigErrors(vec![RuleError::Read { file: directory.display().to_string(), cause }])
        })?;
        let mut config = Config::default();
        let (mut errors, mut cost, mut kinds) = (Vec::new(), Cost::default(), Vec::new());
        for path in found.files {
            match file::read(&path, &mut cost) {
                Ok(file) => {
                    config.main.override_with(&file.main);
                    let burst = &mut config.burst;
                    burst.enabled = file.burst.enabled.unwrap_or(burst.enabled);
                    burst.interval_seconds = file.burst.interval_seconds.unwrap_or(burst.interval_seconds);
                    file.varlink.apply(&mut config.limits);
                    let notifiers = file.notifiers.into_iter();
                    config.notifiers.extend(notifiers.map(|one| (one.name.clone(), one)));
                    config.rules.extend(file.rules);
                    kinds.extend(file.kinds);
                    config.warnings.extend(file.warnings);
                    config.files.push(path);
                }
                Err(all) => errors.extend(all),
            }
        }
        for path in found.passed_over {
            let name = path.display().to_string();
            let message = "ignored: its name does not end in .toml";
            config.warnings.push(Located::at(&name, "", None, message, "rename it, or move it elsewhere"));
        }
        // A rule that is missing because of an error would be a second one.
        if errors.is_empty() {
            with_kinds(&kinds, &config.rules)
                .map(|all| config.kinds = all)
                .unwrap_or_else(|e| errors.push(e));
        }
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(ConfigErrors(errors))
        }
    }
}

impl Config {
    /// All notifiers that are to run.
    pub fn notifiers(&self) -> Vec<Configured> {
        settings::all(&self.notifiers, self.main.notify_stdout)
    }

    /// The configuration as one equivalent file.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for path in &self.files {
            text += &format!("# from {}\n", path.display());
        }
        let Main { notify_stdout, save_to_journald, dump_blk_info_at_start } = &self.main;
        text += &format!("[main]\nnotify_stdout = {notify_stdout}\nsave_to_journald = {save_to_journald}\n");
        text += &format!("dump_blk_info_at_start = {dump_blk_info_at_start}\n");
        let burst::Settings { enabled, interval_seconds } = self.burst;
        text += &format!("\n[burst]\nenabled = {enabled}\ninterval_seconds = {interval_seconds}\n");
        text += &varlink::to_toml(&self.limits);
        for notifier in self.notifiers.values() {
            text += &format!("\n{notifier}");
        }
        for rule in &self.rules {
            let table = BTreeMap::from([("collector_regexs", [rule.spec()])]);
            text += &format!("\n# {}:{}\n", rule.origin.file, rule.origin.line);
            text += &toml::to_string(&table).unwrap_or_default();
        }
        text
    }
}

/// The built-in kinds of conditions with these, if there are any.
fn with_kinds(own: &[OwnKinds], rules: &[Arc<Rule>]) -> Result<Option<Arc<Kinds>>, RuleError> {
    if own.is_empty() {
        return Ok(None);
    }
    let sources: Vec<_> = own.iter().map(OwnKinds::source).collect();
    let types = rules.iter().map(|rule| rule.event_type.to_string()).collect();
    Ok(Some(Arc::new(Kinds::with(&sources, types)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
[main]
notify_stdout = true
save_to_journald = false

[[collector_regexs]]
starts_with = "sd "
regex = '''^sd (?P<kdev>\S+): \[sdb\] exploded$'''
sub_system = "SCSI"
event_type = "MY_EVENT"
"#;

    fn load(files: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Config::load(&Places { root: dir.path().into(), named: None })
    }

    #[test]
    fn the_first_format_is_read_in_both_spellings() {
        let config = load(&[("etc/peripetyd.conf", SAMPLE)]).unwrap();
        assert!(config.main.notify_stdout && !config.main.save_to_journald);
        let rule = &config.rules[0];
        let seen = (&*rule.sub_system, &*rule.event_type, rule.origin.line);
        assert_eq!(seen, ("scsi", "MY_EVENT", 6));
        let later = SAMPLE.replace("collector_regexs", "collector.regexs");
        assert_eq!(load(&[("etc/peripetyd.conf", &later)]).unwrap().rules.len(), 1);
    }

    #[test]
    fn drop_ins_override_key_by_key_and_add_rules() {
        let drop_in = SAMPLE.replace("notify_stdout = true\n", "").replace("false", "true");
        let config =
            load(&[("etc/peripetyd.conf", SAMPLE), ("run/peripetyd.conf.d/x.toml", &drop_in)]).unwrap();
        assert!(config.main.notify_stdout && config.main.save_to_journald);
        assert_eq!(config.rules.len(), 2);
    }

    #[test]
    fn no_file_means_defaults_unless_it_was_named() {
        assert_eq!(load(&[]).unwrap().main, Main::default());
        let places = Places { named: Some("/nonexistent/peripetyd.conf".into()), ..Places::default() };
        let error = Config::load(&places).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/peripetyd.conf"), "{error}");
    }

    #[test]
    fn the_shipped_file_is_valid_and_changes_nothing() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/peripetyd.conf");
        let places = Places { named: Some(shipped.into()), ..Places::default() };
        let config = Config::load(&places).unwrap();
        assert_eq!((config.main, config.limits, config.rules.len()), (Main::default(), Limits::default(), 0));
    }

    #[test]
    fn what_is_dumped_says_the_same() {
        let with_example = format!(
            "[burst]\nenabled = false\ninterval_seconds = 5\n[varlink]\nmax_connections = 40\nidle_seconds = 9\n{SAMPLE}examples = [ {{ line = 'sd 1: [sdb] exploded', kdev = '1' }} ]\nseverity = 'Error'\n"
        );
        let config = load(&[("etc/peripetyd.conf", &with_example)]).unwrap();
        let again = load(&[("etc/peripetyd.conf", &config.to_toml())]).unwrap();
        assert_eq!((&again.main, again.burst, &again.limits), (&config.main, config.burst, &config.limits));
        assert_eq!((config.limits.connections, config.limits.idle.as_secs()), (40, 9));
        let (a, b) = (again.rules[0].spec(), config.rules[0].spec());
        assert_eq!(toml::to_string(&a).unwrap(), toml::to_string(&b).unwrap());
    }

    fn rule(regex: &str) -> String {
        format!("[[collector_regexs]]\nregex = '''{regex}'''\ndevice = \"none\"\n")
    }

    #[test]
    fn what_costs_too_much_is_refused_by_its_size() {
        let large = rule(r"^drv \pL{60}$");
        let files: Vec<String> = (0..200).map(|n| format!("etc/peripetyd.conf.d/{n:03}.toml")).collect();
        let all: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), large.as_str())).collect();
        let each = load(&all[..1]).unwrap().rules[0].cost();
        let fitting = (64 << 20) / each;
        assert!(fitting > 5 && fitting < 190, "{each}");
        assert_eq!(load(&all[..fitting]).unwrap().rules.len(), fitting);
        // One error, which names the file and the line of the rule that is too much.
        let errors = load(&all).unwrap_err().0;
        let place = format!("{}:2:9: with this rule", files[fitting]);
        assert!(errors.len() == 1 && errors[0].to_string().contains(&place), "{}", errors[0]);
        let many = rule("^x$").repeat(10_001);
        let errors = load(&[("etc/peripetyd.conf", &many)]).unwrap_err().0;
        assert!(
            errors.len() == 1 && errors[0].to_string().contains("peripetyd.conf:30002:9: this is rule 10001")
        );
        let error = load(&[("etc/peripetyd.conf", &"#".repeat(17 << 20))]).unwrap_err().to_string();
        assert!(error.contains("the file has 17 MiB"), "{error}");
    }

    /// The first project's file paired this starts_with with a regex for another driver.
    #[test]
    fn a_rule_that_can_never_match_is_loaded_with_a_warning() {
        let text = SAMPLE.replace("starts_with = \"sd \"", "starts_with = \"EXT4-fs \"");
        let config = load(&[("etc/peripetyd.conf", &text)]).unwrap();
        assert_eq!(config.rules.len(), 1);
        assert!(config.warnings[0].message.contains("can never match"), "{:?}", config.warnings);
        assert!(load(&[("etc/peripetyd.conf", SAMPLE)]).unwrap().warnings.is_empty());
    }
}
