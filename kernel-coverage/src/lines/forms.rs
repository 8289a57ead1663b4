//! The forms in which a log has a message of the kernel.

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A record of journald: all lines of the message in one field, and its level.
    Record,
    /// The text of dmesg: each line by itself, and no level.
    Text,
}

/// All forms.
pub const FORMS: [Form; 2] = [Form::Record, Form::Text];

/// The lines that rules see.
pub fn lines(message: &str, form: Form) -> Vec<&str> {
    match form {
        Form::Record => vec![message],
        Form::Text => message.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect(),
    }
}
