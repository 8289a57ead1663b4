//! What lies inside a block: owners, paths, and the details of a path.

use std::ffi::{c_char, CStr, CString};
use std::ptr;

use peripety_blkinfo as blkinfo;

use crate::block::Block;
use crate::boundary::{c_string, get, list_getters, or_null, string_at, string_getters, value_getters};

/// `peripety_owner`.
pub(crate) struct Owner {
    kdev: CString,
    pub(crate) dev_path: CString,
    dev_wwid: Option<CString>,
}

impl From<&blkinfo::Owner> for Owner {
    fn from(owner: &blkinfo::Owner) -> Self {
        Self {
            kdev: c_string(&owner.kdev),
            dev_path: c_string(&owner.dev_path),
            dev_wwid: owner.dev_wwid.as_deref().map(c_string),
        }
    }
}

string_getters! { Owner:
    peripety_owner_kdev => |owner| owner.kdev.as_ptr();
    peripety_owner_dev_path => |owner| owner.dev_path.as_ptr();
    peripety_owner_dev_wwid => |owner| or_null(&owner.dev_wwid);
}

/// Details, sorted by their keys: the value of `keys[i]` is `values[i]`.
pub(crate) struct Extension {
    keys: Vec<CString>,
    values: Vec<CString>,
}

impl From<&blkinfo::Extension> for Extension {
    fn from(extension: &blkinfo::Extension) -> Self {
        let (keys, values) = extension.iter().map(|(key, value)| (c_string(key), c_string(value))).unzip();
        Self { keys, values }
    }
}

impl Extension {
    /// # Safety
    /// `key` is NULL or ends with a NUL.
    unsafe fn value(&self, key: *const c_char) -> *const c_char {
        if key.is_null() {
            return ptr::null();
        }
        // SAFETY: it is not NULL, and a string, as the caller promises.
        let key = unsafe { CStr::from_ptr(key) };
        let index = self.keys.iter().position(|known| known.as_c_str() == key);
        index.map_or(ptr::null(), |index| string_at(&self.values, index))
    }
}

/// `peripety_path`.
pub(crate) struct Path {
    kdev: CString,
    address: Option<CString>,
    state: Option<CString>,
    access_state: Option<CString>,
    dm_state: Option<CString>,
    preferred: Option<bool>,
    extension: Extension,
}

impl From<&blkinfo::Path> for Path {
    fn from(path: &blkinfo::Path) -> Self {
        Self {
            kdev: c_string(&path.kdev),
            address: path.address.as_deref().map(c_string),
            state: path.state.as_deref().map(c_string),
            access_state: path.access_state.as_deref().map(c_string),
            dm_state: path.dm_state.as_deref().map(c_string),
            preferred: path.preferred,
            extension: Extension::from(&path.extension),
        }
    }
}

string_getters! { Path:
    peripety_path_kdev => |path| path.kdev.as_ptr();
    peripety_path_address => |path| or_null(&path.address);
    peripety_path_state => |path| or_null(&path.state);
    peripety_path_access_state => |path| or_null(&path.access_state);
    peripety_path_dm_state => |path| or_null(&path.dm_state);
}
value_getters! { Path:
    peripety_path_preferred, bool => |path| path.preferred;
}
list_getters! { Path:
    peripety_path_extension_count, peripety_path_extension_key: CString => c_char,
        |path| &path.extension.keys, string_at;
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_path_extension_value(
    path: *const Path,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a path.
    unsafe { get(path, ptr::null(), |path| string_at(&path.extension.values, index)) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_path_extension(
    path: *const Path,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a path, and NULL or a string.
    unsafe { get(path, ptr::null(), |path| path.extension.value(key)) }
}

list_getters! { Block:
    peripety_block_extension_count, peripety_block_extension_key: CString => c_char,
        |block| &block.extension.keys, string_at;
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_extension_value(
    block: *const Block,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a block.
    unsafe { get(block, ptr::null(), |block| string_at(&block.extension.values, index)) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_extension(
    block: *const Block,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: the caller passes NULL or a block, and NULL or a string.
    unsafe { get(block, ptr::null(), |block| block.extension.value(key)) }
}
