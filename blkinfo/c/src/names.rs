//! Numbers and names: device numbers, kinds of devices, codes of errors, the version.

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_uint, CStr};
use std::ptr;

use peripety_blkinfo::{natural_cmp, BlkType, DevNumber};

use crate::boundary::string;

/// `peripety_blk_type` in the header, with the same numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlkTypeCode {
    Other = 0,
    Scsi = 1,
    Nvme = 2,
    DmMultipath = 3,
    DmLvm = 4,
    DmCrypt = 5,
    Dm = 6,
    Md = 7,
    Partition = 8,
    Loop = 9,
    Virtio = 10,
    Mmc = 11,
    Zram = 12,
}

/// Each kind in the order of its number, with its name.
const KINDS: [(BlkTypeCode, BlkType, &CStr); 13] = [
    (BlkTypeCode::Other, BlkType::Other, c"other"),
    (BlkTypeCode::Scsi, BlkType::Scsi, c"scsi"),
    (BlkTypeCode::Nvme, BlkType::Nvme, c"nvme"),
    (BlkTypeCode::DmMultipath, BlkType::DmMultipath, c"dm-multipath"),
    (BlkTypeCode::DmLvm, BlkType::DmLvm, c"dm-lvm"),
    (BlkTypeCode::DmCrypt, BlkType::DmCrypt, c"dm-crypt"),
    (BlkTypeCode::Dm, BlkType::Dm, c"dm"),
    (BlkTypeCode::Md, BlkType::Md, c"md"),
    (BlkTypeCode::Partition, BlkType::Partition, c"partition"),
    (BlkTypeCode::Loop, BlkType::Loop, c"loop"),
    (BlkTypeCode::Virtio, BlkType::Virtio, c"virtio"),
    (BlkTypeCode::Mmc, BlkType::Mmc, c"mmc"),
    (BlkTypeCode::Zram, BlkType::Zram, c"zram"),
];

impl BlkTypeCode {
    pub(crate) fn of(blk_type: BlkType) -> Self {
        KINDS.iter().find(|kind| kind.1 == blk_type).map_or(Self::Other, |kind| kind.0)
    }
}

/// The kind that a number means, which may come from anywhere.
fn kind(number: c_uint) -> Option<&'static (BlkTypeCode, BlkType, &'static CStr)> {
    KINDS.get(usize::try_from(number).ok()?)
}

/// The same as Rust knows it.
pub(crate) fn blk_type(number: c_uint) -> Option<BlkType> {
    kind(number).map(|kind| kind.1)
}

/// See peripety.h.
#[no_mangle]
pub(crate) extern "C" fn peripety_blk_type_name(number: c_uint) -> *const c_char {
    kind(number).map_or(ptr::null(), |kind| kind.2.as_ptr())
}

/// The names of the codes, in the order of their numbers.
const CODES: [&CStr; 10] = [
    c"OK",
    c"NOT_FOUND",
    c"AMBIGUOUS",
    c"SOURCE",
    c"BAD_TEXT",
    c"BAD_BOOT_ID",
    c"INVALID_ARGUMENT",
    c"BUG",
    c"NO_LISTS",
    c"MACHINE",
];

/// See peripety.h.
#[no_mangle]
pub(crate) extern "C" fn peripety_code_name(code: c_uint) -> *const c_char {
    let name = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    name.map_or(ptr::null(), |name| name.as_ptr())
}

/// See peripety.h.
#[no_mangle]
pub(crate) extern "C" fn peripety_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// Stores a device number. False, and nothing stored, when there is none or no place for it.
///
/// # Safety
/// `major` and `minor` are NULL or may be written.
pub(crate) unsafe fn store(number: Option<DevNumber>, major: *mut u32, minor: *mut u32) -> bool {
    let Some(number) = number.filter(|_| !major.is_null() && !minor.is_null()) else {
        return false;
    };
    // SAFETY: they are not NULL, so may be written, as the caller promises.
    unsafe {
        major.write(number.major);
        minor.write(number.minor);
    }
    true
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_dev_number_parse(
    text: *const c_char,
    major: *mut u32,
    minor: *mut u32,
) -> bool {
    // SAFETY: the caller passes NULL or a string.
    let number = unsafe { string(text, "text") }.ok().and_then(DevNumber::parse);
    // SAFETY: the caller passes NULL or places for the numbers.
    unsafe { store(number, major, minor) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_natural_cmp(a: *const c_char, b: *const c_char) -> c_int {
    // SAFETY: the caller passes NULLs or strings. Those that are not UTF-8 are before all others.
    let (a, b) = unsafe { (string(a, "a").ok(), string(b, "b").ok()) };
    let order = match (a, b) {
        (Some(a), Some(b)) => natural_cmp(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_of_kinds() {
        for (number, (code, kind, name)) in (0..).zip(&KINDS) {
            assert_eq!(*code as c_uint, number);
            assert_eq!(BlkTypeCode::of(*kind), *code);
            assert_eq!(name.to_str(), Ok(kind.to_string().as_str()));
        }
        assert_eq!(blk_type(13), None);
    }
}
