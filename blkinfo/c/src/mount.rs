//! Mounts: `peripety_mount` and `peripety_mounts`.

use std::ffi::CString;

use peripety_blkinfo as blkinfo;

use crate::boundary::{
    c_string, element_at, free_functions, get, list_getters, string_getters, value_getters,
};

/// `peripety_mount`.
pub(crate) struct Mount {
    id: u32,
    major_minor: blkinfo::DevNumber,
    root: CString,
    mount_point: CString,
    fs_type: CString,
    source: CString,
}

impl From<blkinfo::Mount> for Mount {
    fn from(mount: blkinfo::Mount) -> Self {
        Self {
            id: mount.id,
            major_minor: mount.major_minor,
            root: c_string(&mount.root),
            mount_point: c_string(&mount.mount_point),
            fs_type: c_string(&mount.fs_type),
            source: c_string(&mount.source),
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
    peripety_mount_id, u32 => |mount| Some(mount.id);
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_mount_major_minor(
    mount: *const Mount,
    major: *mut u32,
    minor: *mut u32,
) -> bool {
    // SAFETY: the caller passes NULL or a mount.
    let number = unsafe { get(mount, None, |mount| Some(mount.major_minor)) };
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

list_getters! { Mounts:
    peripety_mounts_count, peripety_mounts_mount: Mount => Mount, |mounts| &mounts.mounts, element_at;
}
free_functions! {
    peripety_mount_free, Mount;
    peripety_mounts_free, Mounts;
}
