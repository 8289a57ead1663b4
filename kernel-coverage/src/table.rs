//! The table: how many formats of each sub-system are recognised, and how.

use std::fmt::Write as _;

use crate::judge::{How, Judged};
use crate::scope;
use crate::verdicts::Verdicts;

/// The columns of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Formats at warning or worse.
    pub formats: usize,
    /// Recognised by a rule for the message.
    pub specific: usize,
    /// Recognised by a rule for unknown wordings.
    pub catch_all: usize,
    /// Not recognised, and a verdict says why.
    pub left_out: usize,
    /// Not recognised, and nobody has decided yet.
    pub open: usize,
    /// Severity and level contradict each other; at all levels.
    pub contradictions: usize,
    /// An event without a device.
    pub no_device: usize,
}

impl Row {
    fn count(&mut self, judged: &Judged, verdicts: &Verdicts) {
        self.contradictions += usize::from(judged.contradiction().is_some());
        if !judged.is_warning() {
            return;
        }
        self.formats += 1;
        self.no_device += usize::from(judged.lacks_device());
        match judged.how {
            How::Specific => self.specific += 1,
            How::CatchAll => self.catch_all += 1,
            How::None if verdicts.left_out(judged).is_some() => self.left_out += 1,
            How::None => self.open += 1,
        }
    }

    fn shown(&self, name: &str) -> String {
        let Row { formats, specific, catch_all, left_out, open, contradictions, no_device } = self;
        let none = left_out + open;
        format!("| {name} | {formats} | {specific} | {catch_all} | {none} | {left_out} | {open} | {contradictions} | {no_device} |\n")
    }
}

/// The counts of all formats.
pub fn total(all: &[Judged], verdicts: &Verdicts) -> Row {
    let mut total = Row::default();
    all.iter().for_each(|judged| total.count(judged, verdicts));
    total
}

/// The table as Markdown.
pub fn table(all: &[Judged], verdicts: &Verdicts) -> String {
    let mut text = "| Sub-system | Formats | Specific rule | Catch-all | None | of which left out | of which open | Contradictions | No device |\n\
                    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for (name, _) in scope::GROUPS {
        let mut row = Row::default();
        let members = all.iter().filter(|judged| scope::group(&judged.format.file) == *name);
        members.for_each(|judged| row.count(judged, verdicts));
        if row != Row::default() {
            text += &row.shown(name);
        }
    }
    text += &total(all, verdicts).shown("**all**");
    let count = |is_counted: &dyn Fn(&&Judged) -> bool| all.iter().filter(is_counted).count();
    let milder = count(&|judged| !judged.is_warning());
    let milder_events = count(&|judged| !judged.is_warning() && judged.how != How::None);
    let devices = count(&|judged| judged.depends_on_device);
    let several = count(&|judged| judged.format.lines.iter().any(|line| line.contains('\n')));
    let split = count(&|judged| judged.lost_when_split);
    let _ = writeln!(
        text,
        "\nOf {milder} formats at notice and info, {milder_events} make an event. Another device changes how {devices} formats are \
         recognised. {several} formats have several lines; {split} are recognised worse if each line is an entry."
    );
    text
}
