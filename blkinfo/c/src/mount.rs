//! Mounts: `peripety_mount` and `peripety_mounts`.

use std::ffi::{c_char, CString};
use std::ptr;

use peripety_blkinfo as blkinfo;

use crate::boundary::{
    answer, c_string, element_at, free_functions, from_json, get, json, list_getters, own, string_getters,
    value_getters,
};
use crate::error::{Code, Failure};

/// `peripety_mount`.
pub(crate) struct Mount {
    info: blkinfo::Mount,
    root: CString,
    mount_point: CString,
    fs_type: CString,
    source: CString,
}

impl From<blkinfo::Mount> for Mount {
    fn from(mount: blkinfo::Mount) -> Self {
        Self {
            root: c_string(&mount.root),
            mount_point: c_string(&mount.mount_point),
            fs_type: c_string(&mount.fs_type),
            source: c_string(&mount.source),
            info: mount,
        }
    }
}

string_getters! { Mount:
    peripety_mount_root => |mount| mount.root.as_ptr();
    peripety_mount_mount_point => |mount| mount.mount_point.as_ptr();
    peripety_mount_fs_type => |mount| mount.fs_type.as_ptr();
    peripety_mount_source => |mount| mount.source.as_ptr();
}
value_getters! { Mount:
    peripety_mount_id, u32 => |mount| Some(mount.info.id);
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_mount_major_minor(
    mount: *const Mount,
    major: *mut u32,
    minor: *mut u32,
) -> bool {
    // SAFETY: the caller passes NULL or a mount.
    let number = unsafe { get(mount, None, |mount| Some(mount.info.major_minor)) };
    // SAFETY: the caller passes NULL or places for the numbers.
    unsafe { crate::names::store(number, major, minor) }
}

/// `peripety_mounts`.
pub(crate) struct Mounts {
    mounts: Vec<Mount>,
}

impl From<Vec<blkinfo::Mount>> for Mounts {
    fn from(mounts: Vec<blkinfo::Mount>) -> Self {
        Self { mounts: mounts.into_iter().map(Mount::from).collect() }
    }
}

impl Mounts {
    /// The mounts as Rust knows them.
    pub(crate) fn infos(&self) -> Vec<blkinfo::Mount> {
        self.mounts.iter().map(|mount| mount.info.clone()).collect()
    }
}

list_getters! { Mounts:
    peripety_mounts_count, peripety_mounts_mount: Mount => Mount, |mounts| &mounts.mounts, element_at;
}
free_functions! {
    peripety_mount_free, Mount;
    peripety_mounts_free, Mounts;
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_mounts_to_json(mounts: *const Mounts) -> *mut c_char {
    // SAFETY: the caller passes NULL or mounts.
    unsafe { get(mounts, ptr::null_mut(), |mounts| json(&mounts.infos())) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_mounts_from_json(
    text: *const c_char,
    mounts: *mut *mut Mounts,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe {
        answer(mounts, error, || Ok(own(Mounts::from(from_json::<Vec<blkinfo::Mount>>(text, "text")?))))
    }
}
