//! Between C and Rust: arguments in, answers out, panics caught.

use std::ffi::{c_char, CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::ptr;

use crate::error::{Code, Failure};

/// What a function with an error parameter does: runs `work`, and stores its answer in `*out`, its failure in
/// `*error`. What is not stored becomes NULL. `error` may be NULL.
///
/// # Safety
/// `out` and `error` are NULL or point to pointers that may be written.
pub(crate) unsafe fn answer<R>(
    out: *mut *mut R,
    error: *mut *mut Failure,
    work: impl FnOnce() -> Result<*mut R, Failure>,
) -> Code {
    let (value, failure) = match out.is_null() {
        false => match caught(work).unwrap_or_else(|| Err(Failure::bug())) {
            Ok(value) => (value, None),
            Err(failure) => (ptr::null_mut(), Some(failure)),
        },
        true => (ptr::null_mut(), Some(Failure::invalid("the pointer for the answer is NULL"))),
    };
    // SAFETY: what is not NULL may be written, as the caller promises.
    unsafe {
        put(out, || value);
        report(failure, error)
    }
}

/// What a function does that changes a handle: as [`answer`], but there is nothing to answer.
///
/// # Safety
/// `error` is NULL or points to a pointer that may be written.
pub(crate) unsafe fn done(error: *mut *mut Failure, work: impl FnOnce() -> Result<(), Failure>) -> Code {
    let failure = caught(work).unwrap_or_else(|| Err(Failure::bug())).err();
    // SAFETY: as the caller promises.
    unsafe { report(failure, error) }
}

/// # Safety
/// `error` is NULL or points to a pointer that may be written.
unsafe fn report(failure: Option<Failure>, error: *mut *mut Failure) -> Code {
    let code = failure.as_ref().map_or(Code::Ok, Failure::code);
    // SAFETY: it is NULL or may be written, as the caller promises.
    unsafe { put(error, || failure.map_or(ptr::null_mut(), own)) }
    code
}

/// Stores a value where it is wanted. What was there need not be a value.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn put<R>(place: *mut R, value: impl FnOnce() -> R) {
    if !place.is_null() {
        // SAFETY: it may be written, as the caller promises.
        unsafe { place.write(value()) }
    }
}

/// What a getter does: reads from a handle. `missing` is the answer for NULL.
///
/// # Safety
/// `handle` is NULL or a handle of this library that was not freed.
pub(crate) unsafe fn get<'a, T: 'a, R>(handle: *const T, missing: R, read: impl FnOnce(&'a T) -> R) -> R {
    // SAFETY: NULL gives None; anything else is a T, as the caller promises.
    let Some(handle) = (unsafe { handle.as_ref() }) else {
        return missing;
    };
    caught(|| read(handle)).unwrap_or(missing)
}

/// What a getter of a number or flag does: stores it in `*out`. False, and nothing stored, when it is not known or
/// `out` is NULL.
///
/// # Safety
/// As [`get`]; `out` is NULL or may be written.
pub(crate) unsafe fn get_value<'a, T: 'a, R>(
    handle: *const T,
    out: *mut R,
    read: impl FnOnce(&'a T) -> Option<R>,
) -> bool {
    // SAFETY: as the caller promises.
    let Some(value) = (unsafe { get(handle, None, read) }).filter(|_| !out.is_null()) else {
        return false;
    };
    // SAFETY: it is not NULL, so may be written, as the caller promises.
    unsafe { put(out, || value) };
    true
}

/// `None` when `work` panics.
fn caught<R>(work: impl FnOnce() -> R) -> Option<R> {
    // What work can see is not changed, or behind a lock that tells: a panic leaves nothing half done.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Hands a value over to C.
pub(crate) fn own<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes a value back from C and drops it. NULL is none.
///
/// # Safety
/// `handle` is NULL or came from [`own`] and was not taken back before.
pub(crate) unsafe fn take_back<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it came from a Box, as the caller promises.
        let value = unsafe { Box::from_raw(handle) };
        caught(|| drop(value));
    }
}

/// The handle that is an argument.
///
/// # Safety
/// `handle` is NULL or a handle of this library that outlives `'a`.
pub(crate) unsafe fn given<'a, T>(handle: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: NULL gives None; anything else is a T, as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| Failure::invalid(&format!("{name} is NULL")))
}

/// The string that is an argument, as bytes.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and outlives `'a`.
unsafe fn bytes<'a>(text: *const c_char, name: &str) -> Result<&'a [u8], Failure> {
    if text.is_null() {
        return Err(Failure::invalid(&format!("{name} is NULL")));
    }
    // SAFETY: it is not NULL, and a string, as the caller promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// The string that is an argument.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and outlives `'a`.
pub(crate) unsafe fn string<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { bytes(text, name) }?;
    std::str::from_utf8(bytes).map_err(|_| Failure::invalid(&format!("{name} is not UTF-8")))
}

/// The file name that is an argument: any bytes.
///
/// # Safety
/// `path` is NULL or ends with a NUL, and outlives `'a`.
pub(crate) unsafe fn file_name<'a>(path: *const c_char, name: &str) -> Result<&'a Path, Failure> {
    // SAFETY: as the caller promises.
    Ok(Path::new(OsStr::from_bytes(unsafe { bytes(path, name) }?)))
}

/// A string for C. A NUL inside, with which C would see its end, is written as `\x00`.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\\x00")).unwrap_or_default()
}

/// A list of strings for C.
pub(crate) fn c_strings(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<CString> {
    texts.into_iter().map(|text| c_string(text.as_ref())).collect()
}

/// The string of a list at that place; NULL past its end.
pub(crate) fn string_at(texts: &[CString], index: usize) -> *const c_char {
    texts.get(index).map_or(ptr::null(), |text| text.as_ptr())
}

/// The string, or NULL.
pub(crate) fn or_null(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// The element of a list at that place; NULL past its end.
pub(crate) fn element_at<T>(list: &[T], index: usize) -> *const T {
    list.get(index).map_or(ptr::null(), ptr::from_ref)
}

/// A value as JSON in a string that C frees.
pub(crate) fn json(value: &impl serde::Serialize) -> *mut c_char {
    serde_json::to_string(value).map_or(ptr::null_mut(), |text| c_string(&text).into_raw())
}

/// The value that a text in JSON holds, which [`json`] wrote.
///
/// # Safety
/// `text` is NULL or ends with a NUL.
pub(crate) unsafe fn from_json<T: serde::de::DeserializeOwned>(
    text: *const c_char,
    name: &str,
) -> Result<T, Failure> {
    // SAFETY: as the caller promises.
    let text = unsafe { string(text, name) }?;
    serde_json::from_str(text).map_err(|error| Failure::bad_json(name, &error))
}

/// Frees a string that a function of this library handed over.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_string_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: the caller got it from CString::into_raw, and did not write to it.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Getters of strings: `FUNCTION => what of the handle`.
macro_rules! string_getters {
    ($handle:ty: $($function:ident => $read:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(handle: *const $handle) -> *const std::ffi::c_char {
            let read: fn(&$handle) -> *const std::ffi::c_char = $read;
            // SAFETY: the caller passes NULL or a handle of this type.
            unsafe { $crate::boundary::get(handle, std::ptr::null(), read) }
        }
    )*};
}

/// Getters of numbers and flags that may not be known: `FUNCTION, type => what of the handle`.
macro_rules! value_getters {
    ($handle:ty: $($function:ident, $type:ty => $read:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(handle: *const $handle, value: *mut $type) -> bool {
            let read: fn(&$handle) -> Option<$type> = $read;
            // SAFETY: the caller passes NULL or a handle of this type, and NULL or a place for the value.
            unsafe { $crate::boundary::get_value(handle, value, read) }
        }
    )*};
}

/// Getters of lists: `COUNT, ELEMENT: type in Rust -> type in C => the list, the element of a list`.
macro_rules! list_getters {
    ($handle:ty: $($count:ident, $element:ident: $item:ty => $type:ty, $list:expr, $read:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($count), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $count(handle: *const $handle) -> usize {
            let list: fn(&$handle) -> &[$item] = $list;
            // SAFETY: the caller passes NULL or a handle of this type.
            unsafe { $crate::boundary::get(handle, 0, |handle| list(handle).len()) }
        }

        #[doc = concat!("See peripety.h: `", stringify!($element), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $element(handle: *const $handle, index: usize) -> *const $type {
            let list: fn(&$handle) -> &[$item] = $list;
            let read: fn(&[$item], usize) -> *const $type = $read;
            // SAFETY: the caller passes NULL or a handle of this type.
            unsafe { $crate::boundary::get(handle, std::ptr::null(), |handle| read(list(handle), index)) }
        }
    )*};
}

/// Functions that free handles.
macro_rules! free_functions {
    ($($function:ident, $handle:ty;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(handle: *mut $handle) {
            // SAFETY: the caller passes NULL or a handle that this library handed over and that was not freed yet.
            unsafe { $crate::boundary::take_back(handle) }
        }
    )*};
}

pub(crate) use {free_functions, list_getters, string_getters, value_getters};
