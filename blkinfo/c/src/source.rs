//! Trees that the caller's own functions read: `peripety_source`.

use std::ffi::{c_char, c_int, c_void, CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use peripety_blkinfo::Source;

use crate::error::Failure;

/// What a function of the caller's has to tell: `peripety_answer`.
pub(crate) struct CallbackResult {
    pieces: Vec<Vec<u8>>,
}

/// A function of the caller's: 0, or the `errno` why there is no answer.
type ReadCallback =
    unsafe extern "C" fn(user: *mut c_void, path: *const c_char, answer: *mut CallbackResult) -> c_int;

/// `peripety_source`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SourceTable {
    user: *mut c_void,
    read: Option<ReadCallback>,
    read_link: Option<ReadCallback>,
    read_dir: Option<ReadCallback>,
    free: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

/// The same with all functions that are needed.
pub(crate) struct Callbacks {
    user: *mut c_void,
    read: ReadCallback,
    read_link: ReadCallback,
    read_dir: ReadCallback,
    free: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

// SAFETY: the header demands that the functions may be called with `user` from any thread, several at once.
unsafe impl Send for Callbacks {}
// SAFETY: the same.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    pub(crate) fn new(table: SourceTable) -> Result<Self, Failure> {
        let (Some(read), Some(read_link), Some(read_dir)) = (table.read, table.read_link, table.read_dir)
        else {
            return Err(Failure::invalid("a function of the source is NULL"));
        };
        Ok(Self { user: table.user, read, read_link, read_dir, free: table.free })
    }

    fn call(&self, reader: ReadCallback, path: &Path) -> io::Result<Vec<Vec<u8>>> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let mut answer = CallbackResult { pieces: Vec::new() };
        // SAFETY: the header says what the function must be; the path and the answer live until it returns.
        match unsafe { reader(self.user, path.as_ptr(), &mut answer) } {
            0 => Ok(answer.pieces),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the header says what the function must be; it is called once, after all others.
            unsafe { free(self.user) }
        }
    }
}

impl Source for Callbacks {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.call(self.read, path)?.concat())
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(PathBuf::from(OsString::from_vec(self.call(self.read_link, path)?.concat())))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        Ok(self.call(self.read_dir, path)?.into_iter().map(OsString::from_vec).collect())
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_answer_add(
    answer: *mut CallbackResult,
    data: *const c_void,
    length: usize,
) -> bool {
    // SAFETY: the caller passes NULL or the answer that its function was given, which nobody else uses.
    let Some(answer) = (unsafe { answer.as_mut() }) else {
        return false;
    };
    if data.is_null() || length > isize::MAX.unsigned_abs() {
        return length == 0;
    }
    // SAFETY: the caller passes that many bytes, and no object is larger than isize::MAX.
    answer.pieces.push(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec());
    true
}
