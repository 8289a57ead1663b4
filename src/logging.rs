//! The daemon's own log: to journald when systemd connects it there, else to stderr.
//!
//! Writing to journald may block, so that a thread of its own does it; when it cannot keep up,
//! lines are dropped, counted, and the count is logged.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Arc;

use log::Log;
use systemd_journal_logger::JournalLog;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::EnvFilter;

/// Lines that may wait for journald.
const QUEUE: usize = 1024;

/// Starts logging. `RUST_LOG` chooses what is logged; default: info and worse.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    match systemd_journal_logger::connected_to_journal().then(journald).flatten() {
        Some(layer) => registry.with(layer).init(),
        None => {
            let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            let layer = tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_target(false)
                .without_time()
                .with_ansi(ansi);
            registry.with(layer).init();
        }
    }
}

fn journald() -> Option<Journald> {
    let logger = JournalLog::empty().ok()?.with_syslog_identifier("peripetyd".into());
    let (sender, receiver) = sync_channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let counter = dropped.clone();
    let thread = std::thread::Builder::new().name("log".into());
    thread.spawn(move || write(&logger, &receiver, &counter)).ok()?;
    Some(Journald { sender, dropped })
}

fn write(logger: &JournalLog, lines: &Receiver<(log::Level, String)>, dropped: &AtomicU64) {
    let put = |level, text: &str| {
        logger.log(&log::Record::builder().level(level).args(format_args!("{text}")).build());
    };
    for (level, text) in lines {
        put(level, &text);
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            put(log::Level::Warn, &format!("{lost} lines of this log were dropped: journald was too slow"));
        }
    }
}

/// Hands lines to the thread that writes them.
struct Journald {
    sender: SyncSender<(log::Level, String)>,
    dropped: Arc<AtomicU64>,
}

impl<S: tracing::Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = LogLine::default();
        event.record(&mut line);
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => log::Level::Error,
            tracing::Level::WARN => log::Level::Warn,
            tracing::Level::INFO => log::Level::Info,
            tracing::Level::DEBUG => log::Level::Debug,
            tracing::Level::TRACE => log::Level::Trace,
        };
        if self.sender.try_send((level, line.message + &line.fields)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A log line: its message, then its fields.
#[derive(Default)]
struct LogLine {
    message: String,
    fields: String,
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
