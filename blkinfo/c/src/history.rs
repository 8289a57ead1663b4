//! Which device had a name at a moment that has passed: `peripety_history`.

use std::ffi::{c_char, c_void, CString};
use std::ptr;
use std::sync::{RwLock, RwLockReadGuard};

use peripety_blkinfo::history::{self, Answer, HighWaterMark};
use peripety_blkinfo::BlockInfo;

use crate::boundary::{
    answer, c_string, done, free_functions, from_json, get, given, json, own, put, string, string_getters,
    value_getters,
};
use crate::error::{Code, Failure};
use crate::fields::Block;
use crate::list::List;
use crate::mount::Mounts;

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
    peripety_history_complete_until, u64 => |history| Some(history.read().ok()?.complete_until());
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
    history::MAX_ENDED
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

/// Where the answer to a question about a name goes.
struct Places {
    who: *mut AnswerCode,
    present: *mut bool,
    block: *mut *mut Block,
    error: *mut *mut Failure,
}

/// Asks who had a name, and stores the answer.
///
/// # Safety
/// `history` is NULL or a history, `name` is NULL or a string; the places are NULL or may be written.
unsafe fn ask(
    history: *const History,
    name: *const c_char,
    places: &Places,
    question: impl FnOnce(&history::History, &str) -> Answer,
) -> Code {
    let mut said = (AnswerCode::Absent, false);
    // SAFETY: as the caller promises.
    unsafe {
        let code = answer(places.block, places.error, || {
            let found = question(&*given(history, "history")?.read()?, string(name, "name")?);
            said.0 = match &found {
                Answer::Known { .. } => AnswerCode::Known,
                Answer::Uncertain => AnswerCode::Uncertain,
                Answer::Absent => AnswerCode::Absent,
            };
            let Answer::Known { block, present } = found else { return Ok(ptr::null_mut()) };
            said.1 = present;
            Ok(own(Block::from((*block).clone())))
        });
        put(places.who, || said.0);
        put(places.present, || said.1);
        code
    }
}

/// Questions who had a name at a time.
macro_rules! name_questions {
    ($($function:ident => $question:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(
            history: *const History,
            name: *const c_char,
            time: u64,
            who: *mut AnswerCode,
            present: *mut bool,
            block: *mut *mut Block,
            error: *mut *mut Failure,
        ) -> Code {
            let question: fn(&history::History, &str, u64) -> Answer = $question;
            let places = Places { who, present, block, error };
            // SAFETY: the caller passes NULLs or a history, a string, and places for the answers.
            unsafe { ask(history, name, &places, |history, name| question(history, name, time)) }
        }
    )*};
}

name_questions! {
    peripety_history_at => history::History::at;
    peripety_history_content_at => history::History::content_at;
    peripety_history_any_at => history::History::any_at;
}

/// A function of the caller's: is the device that is held the one that is there?
type IsSame = unsafe extern "C" fn(user: *mut c_void, held: *const Block) -> bool;

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_at_or_look(
    history: *const History,
    name: *const c_char,
    time: u64,
    now: u64,
    is_same: Option<IsSame>,
    user: *mut c_void,
    who: *mut AnswerCode,
    present: *mut bool,
    block: *mut *mut Block,
    error: *mut *mut Failure,
) -> Code {
    let look = |held: &BlockInfo| {
        let held = Block::from(held.clone());
        // SAFETY: the header says what the function must be; the block lives until it returns.
        is_same.is_some_and(|is_same| unsafe { is_same(user, &held) })
    };
    let places = Places { who, present, block, error };
    // SAFETY: the caller passes NULLs or a history, a string, and places for the answers.
    unsafe { ask(history, name, &places, |history, name| history.at_or_look(name, time, now, look)) }
}

/// Functions that tell up to when nothing else happened.
macro_rules! tellers {
    ($($function:ident => $tell:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(
            history: *mut History,
            now: u64,
            error: *mut *mut Failure,
        ) -> Code {
            let tell: fn(&mut history::History, u64) = $tell;
            // SAFETY: the caller passes NULLs or a history and a place for the error.
            unsafe { done(error, || given(history, "history")?.change(|history| tell(history, now))) }
        }
    )*};
}

tellers! {
    peripety_history_advance => history::History::advance;
    peripety_history_advance_in_part => history::History::advance_in_part;
    peripety_history_advance_mounts => history::History::advance_mounts;
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_mounts(
    history: *mut History,
    looked: Window,
    mounts: *const Mounts,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, mounts, and a place for the error.
    unsafe {
        done(error, || {
            let table = given(mounts, "mounts")?.infos();
            given(history, "history")?.change(|history| history.mounts(looked.into(), &table))
        })
    }
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
            given(history, "history")?.change(|history| {
                let now = history.complete_until();
                history.refresh(block, now);
            })
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

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_progress(history: *const History) -> *mut c_char {
    let write =
        |history: &History| history.read().map_or(ptr::null_mut(), |history| json(&history.progress()));
    // SAFETY: the caller passes NULL or a history.
    unsafe { get(history, ptr::null_mut(), write) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_history_catch_up(
    history: *mut History,
    progress: *const c_char,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a history, a string, and a place for the error.
    unsafe {
        done(error, || {
            let mark: HighWaterMark = from_json(progress, "progress")?;
            given(history, "history")?.change(|history| history.catch_up(&mark))
        })
    }
}
