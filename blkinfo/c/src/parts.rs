//! Details of a block or a path, by name.

use std::ffi::{c_char, CStr, CString};
use std::ptr;

use peripety_blkinfo as blkinfo;

use crate::boundary::{c_string, string_at};

/// Details, sorted by their keys: the value of `keys[i]` is `values[i]`.
pub(crate) struct Extension {
    pub(crate) keys: Vec<CString>,
    pub(crate) values: Vec<CString>,
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
    pub(crate) unsafe fn value(&self, key: *const c_char) -> *const c_char {
        if key.is_null() {
            return ptr::null();
        }
        // SAFETY: it is not NULL, and a string, as the caller promises.
        let key = unsafe { CStr::from_ptr(key) };
        let index = self.keys.iter().position(|known| known.as_c_str() == key);
        index.map_or(ptr::null(), |index| string_at(&self.values, index))
    }
}

/// Getters of details: `COUNT, KEY, VALUE, BY_KEY => what of the handle`.
macro_rules! extension_getters {
    ($handle:ty: $($count:ident, $key:ident, $value:ident, $by_key:ident => $read:expr;)*) => {$(
        $crate::boundary::list_getters! { $handle:
            $count, $key: std::ffi::CString => std::ffi::c_char,
                |handle| { let read: fn(&$handle) -> &$crate::parts::Extension = $read; &read(handle).keys },
                $crate::boundary::string_at;
        }

        #[doc = concat!("See peripety.h: `", stringify!($value), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $value(handle: *const $handle, index: usize) -> *const std::ffi::c_char {
            let read: fn(&$handle) -> &$crate::parts::Extension = $read;
            let value = |handle| $crate::boundary::string_at(&read(handle).values, index);
            // SAFETY: the caller passes NULL or a handle of this type.
            unsafe { $crate::boundary::get(handle, std::ptr::null(), value) }
        }

        #[doc = concat!("See peripety.h: `", stringify!($by_key), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $by_key(
            handle: *const $handle,
            key: *const std::ffi::c_char,
        ) -> *const std::ffi::c_char {
            let read: fn(&$handle) -> &$crate::parts::Extension = $read;
            // SAFETY: the caller passes NULL or a string, and NULL or a handle of this type.
            unsafe { $crate::boundary::get(handle, std::ptr::null(), |handle| read(handle).value(key)) }
        }
    )*};
}

pub(crate) use extension_getters;
