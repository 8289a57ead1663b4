//! Which device had a name at a moment that has passed: `peripety_history`.

use std::ffi::{c_char, CString};
use std::ptr;
use std::sync::{RwLock, RwLockReadGuard};

use peripety_blkinfo::history::{self, Answer};

use crate::block::Block;
use crate::boundary::{
    answer, c_string, done, free_functions, from_json, get, given, json, own, put, string, string_getters,
    value_getters,
};
use crate::error::{Code, Failure};
use crate::list::List;

/// `peripety_history`. It changes; the lock lets threads share it all the same.
pub(crate) struct History {
    boot_id: CString,
    inner: RwLock<history::History>,
}

impl From<history::History> for History {
    fn from(history: history::History) -> Self {
        Self { boot_id: c_string(history.boot_id()), inner: RwLock::new(history) }
    }
}

impl History {
    /// Fails after a panic in [`History::change`].
    fn read(&self) -> Result<RwLockReadGuard<'_, history::History>, Failure> {
        self.inner.read().map_err(|_| Failure::bug())
    }

    fn change(&self, change: impl FnOnce(&mut history::History)) -> Result<(), Failure> {
        change(&mut *self.inner.write().map_err(|_| Failure::bug())?);
        Ok(())
    }
}

/// `peripety_window`: after the one time, and not later than the other.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Window {
    after: u64,
    by: u64,
}

impl From<Window> for history::Window {
    fn from(window: Window) -> Self {
        Self { after: window.after, by: window.by }
    }
}

/// `peripety_history_answer` in the header, with the same numbers.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) enum AnswerCode {
    Absent = 0,
    Uncertain = 1,
    Known = 2,
}

string_getters! { History:
    peripety_history_boot_id => |history| history.boot_id.as_ptr();
}
value_getters! { History:
    peripety_history_told_until, u64 => |history| Some(history.read().ok()?.told_until());
    peripety_history_generation, u64 => |history| Some(history.read().ok()?.generation());
}
free_functions! { peripety_history_free, History; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_len(history: *const History) -> usize {
    // SAFETY: the caller passes NULL or a history.
    unsafe { get(history, 0, |history| history.read().map_or(0, |history| history.len())) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) extern "C" fn peripety_history_most_ended() -> usize {
    history::MOST_ENDED
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_new(
    boot_id: *const c_char,
    looked: Window,
    blocks: *const List,
    history: *mut *mut History,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a string, a list, and places for the answers.
    unsafe {
        answer(history, error, || {
            let (boot_id, blocks) = (string(boot_id, "boot_id")?, given(blocks, "blocks")?);
            Ok(own(History::from(history::History::new(boot_id, looked.into(), blocks.infos()))))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_at(
    history: *const History,
    name: *const c_char,
    time: u64,
    who: *mut AnswerCode,
    present: *mut bool,
    block: *mut *mut Block,
    error: *mut *mut Failure,
) -> Code {
    let mut said = (AnswerCode::Absent, false);
    // SAFETY: the caller passes NULLs or a history, a string, and places for the answers.
    unsafe {
        let code = answer(block, error, || {
            let found = given(history, "history")?.read()?.at(string(name, "name")?, time);
            said.0 = match &found {
                Answer::Known { .. } => AnswerCode::Known,
                Answer::Uncertain => AnswerCode::Uncertain,
                Answer::Absent => AnswerCode::Absent,
            };
            let Answer::Known { block, present } = found else { return Ok(ptr::null_mut()) };
            said.1 = present;
            Ok(own(Block::from((*block).clone())))
        });
        put(who, || said.0);
        put(present, || said.1);
        code
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_told(
    history: *mut History,
    now: u64,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history and a place for the error.
    unsafe { done(error, || given(history, "history")?.change(|history| history.told(now))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_seen(
    history: *mut History,
    block: *const Block,
    now: u64,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a block, and a place for the error.
    unsafe {
        done(error, || {
            let block = given(block, "block")?.info.clone();
            given(history, "history")?.change(|history| history.seen(block, now))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_refresh(
    history: *mut History,
    block: *const Block,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a block, and a place for the error.
    unsafe {
        done(error, || {
            let block = given(block, "block")?.info.clone();
            given(history, "history")?.change(|history| history.refresh(block))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_gone(
    history: *mut History,
    kdev: *const c_char,
    diskseq: *const u64,
    now: u64,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a string, a number, and a place for the error.
    unsafe {
        done(error, || {
            let (kdev, diskseq) = (string(kdev, "kdev")?, diskseq.as_ref().copied());
            given(history, "history")?.change(|history| history.gone(kdev, diskseq, now))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_address_gone(
    history: *mut History,
    address: *const c_char,
    now: u64,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a string, and a place for the error.
    unsafe {
        done(error, || {
            let address = string(address, "address")?;
            given(history, "history")?.change(|history| history.address_gone(address, now))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_resync(
    history: *mut History,
    looked: Window,
    blocks: *const List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a list, and a place for the error.
    unsafe {
        done(error, || {
            let blocks = given(blocks, "blocks")?;
            given(history, "history")?.change(|history| history.resync(looked.into(), blocks.infos()))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_to_json(history: *const History) -> *mut c_char {
    let write = |history: &History| history.read().map_or(ptr::null_mut(), |history| json(&*history));
    // SAFETY: the caller passes NULL or a history.
    unsafe { get(history, ptr::null_mut(), write) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_from_json(
    text: *const c_char,
    history: *mut *mut History,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(history, error, || Ok(own(History::from(from_json::<history::History>(text, "text")?)))) }
}
