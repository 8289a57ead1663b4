//! Errors: `peripety_error`.

use std::ffi::{c_char, c_int, CString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use peripety_blkinfo::Error;

use crate::boundary::{
    c_string, c_strings, free_functions, get, list_getters, or_null, string_at, string_getters, value_getters,
};

/// What a function has to say; `peripety_code` in the header, with the same numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Ok = 0,
    NotFound = 1,
    Ambiguous = 2,
    Source = 3,
    BadText = 4,
    BadBootId = 5,
    InvalidArgument = 6,
    Bug = 7,
    NoLists = 8,
    Machine = 9,
}

/// An error as C sees it: `peripety_error`.
pub(crate) struct Failure {
    code: Code,
    message: CString,
    device: Option<CString>,
    candidates: Vec<CString>,
    path: Option<CString>,
    line: Option<usize>,
    system_error: Option<c_int>,
}

impl Failure {
    fn new(code: Code, message: &str) -> Self {
        let (device, candidates, path) = (None, Vec::new(), None);
        Self { code, message: c_string(message), device, candidates, path, line: None, system_error: None }
    }

    /// The caller did something wrong.
    pub(crate) fn invalid(problem: &str) -> Self {
        Self::new(Code::InvalidArgument, &format!("{problem}; peripety.h says what each argument must be"))
    }

    /// A text is not the JSON that it should be.
    pub(crate) fn bad_json(name: &str, error: &serde_json::Error) -> Self {
        let remedy = "pass what a function of this library whose name ends in _to_json wrote";
        let failure =
            Self::new(Code::BadText, &format!("{name} is not the JSON that is needed: {error}; {remedy}"));
        Self { line: Some(error.line()), ..failure }
    }

    /// This library did something wrong.
    pub(crate) fn bug() -> Self {
        Self::new(Code::Bug, "a bug in libperipety; what it is stands on stderr: please report it")
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

/// The errno; of an error that did not come from the system (of a recorded tree, say) the one that means the same. The
/// numbers are those of every architecture (include/uapi/asm-generic/errno-base.h).
fn system_error(error: &io::Error) -> Option<c_int> {
    error.raw_os_error().or(match error.kind() {
        ErrorKind::NotFound => Some(2),
        ErrorKind::PermissionDenied => Some(13),
        ErrorKind::NotADirectory => Some(20),
        ErrorKind::InvalidInput => Some(22),
        _ => None,
    })
}

/// A path may hold any byte but NUL.
fn path_string(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = |code| Self::new(code, &error.to_string());
        match &error {
            Error::NotFound { device, .. } => {
                Self { device: Some(c_string(device)), ..failure(Code::NotFound) }
            }
            Error::Ambiguous { device, candidates } => Self {
                device: Some(c_string(device)),
                candidates: c_strings(candidates),
                ..failure(Code::Ambiguous)
            },
            Error::Source { path, source } => {
                Self { path: path_string(path), system_error: system_error(source), ..failure(Code::Source) }
            }
            Error::BadText { line, .. } => Self { line: Some(*line), ..failure(Code::BadText) },
            Error::BadBootId { path, .. } => Self { path: path_string(path), ..failure(Code::BadBootId) },
            Error::NoLists { path, .. } => Self { path: path_string(path), ..failure(Code::NoLists) },
            Error::Machine { path, host, machines } => Self {
                device: host.as_deref().map(c_string),
                candidates: c_strings(machines),
                path: path_string(path),
                ..failure(Code::Machine)
            },
            _ => failure(Code::Bug),
        }
    }
}

string_getters! { Failure:
    peripety_error_message => |error| error.message.as_ptr();
    peripety_error_device => |error| or_null(&error.device);
    peripety_error_path => |error| or_null(&error.path);
}
value_getters! { Failure:
    peripety_error_line, usize => |error| error.line;
    peripety_error_errno, c_int => |error| error.system_error;
}
list_getters! { Failure:
    peripety_error_candidate_count, peripety_error_candidate: CString => c_char, |error| &error.candidates, string_at;
}
free_functions! { peripety_error_free, Failure; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_error_code(error: *const Failure) -> Code {
    // SAFETY: the caller passes NULL or an error.
    unsafe { get(error, Code::Ok, Failure::code) }
}
