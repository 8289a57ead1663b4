//! The kernel's messages about devices: `peripety_uevent`.

use std::ffi::{c_void, CString};
use std::ptr;

use peripety_blkinfo::history::{self, Action};

use crate::boundary::{answer, c_string, free_functions, get, or_null, own, string_getters, value_getters};
use crate::error::{Code, Failure};

/// `peripety_action` in the header, with the same numbers.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) enum ActionCode {
    Other = 0,
    Add = 1,
    Remove = 2,
    Change = 3,
    Move = 4,
}

impl From<Action> for ActionCode {
    fn from(action: Action) -> Self {
        match action {
            Action::Add => Self::Add,
            Action::Remove => Self::Remove,
            Action::Change => Self::Change,
            Action::Move => Self::Move,
            _ => Self::Other,
        }
    }
}

/// `peripety_uevent`.
pub(crate) struct Uevent {
    action: ActionCode,
    devpath: CString,
    devpath_old: Option<CString>,
    name: CString,
    old_name: Option<CString>,
    subsystem: CString,
    seqnum: u64,
    diskseq: Option<u64>,
}

impl From<history::Uevent> for Uevent {
    fn from(event: history::Uevent) -> Self {
        Self {
            action: event.action.into(),
            devpath: c_string(&event.devpath),
            devpath_old: event.devpath_old.as_deref().map(c_string),
            name: c_string(&event.name()),
            old_name: event.old_name().as_deref().map(c_string),
            subsystem: c_string(&event.subsystem),
            seqnum: event.seqnum,
            diskseq: event.diskseq,
        }
    }
}

string_getters! { Uevent:
    peripety_uevent_devpath => |event| event.devpath.as_ptr();
    peripety_uevent_devpath_old => |event| or_null(&event.devpath_old);
    peripety_uevent_name => |event| event.name.as_ptr();
    peripety_uevent_old_name => |event| or_null(&event.old_name);
    peripety_uevent_subsystem => |event| event.subsystem.as_ptr();
}
value_getters! { Uevent:
    peripety_uevent_seqnum, u64 => |event| Some(event.seqnum);
    peripety_uevent_diskseq, u64 => |event| event.diskseq;
}
free_functions! { peripety_uevent_free, Uevent; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_uevent_action(uevent: *const Uevent) -> ActionCode {
    // SAFETY: the caller passes NULL or a uevent.
    unsafe { get(uevent, ActionCode::Other, |event| event.action) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_uevent_parse(
    message: *const c_void,
    length: usize,
    uevent: *mut *mut Uevent,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or that many bytes, and NULLs or places for the answers.
    unsafe {
        answer(uevent, error, || {
            if message.is_null() || length > isize::MAX.unsigned_abs() {
                return Err(Failure::invalid("message is NULL, or longer than anything"));
            }
            let message = std::slice::from_raw_parts(message.cast::<u8>(), length);
            Ok(history::Uevent::parse(message).map_or(ptr::null_mut(), |event| own(Uevent::from(event))))
        })
    }
}
