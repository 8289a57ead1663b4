//! What a C program cannot bring about: a panic behind the boundary; and what the compiler can prove.
use std::ffi::{CStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use peripety_blkinfo::Source;

use super::*;
use crate::boundary::get_value;
use crate::error::{peripety_error_code, peripety_error_free, peripety_error_message};

struct Broken;

impl Source for Broken {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        panic!("on purpose")
    }
    fn read_link(&self, _: &Path) -> io::Result<PathBuf> {
        panic!("on purpose")
    }
    fn read_dir(&self, _: &Path) -> io::Result<Vec<OsString>> {
        panic!("on purpose")
    }
}

#[test]
fn a_panic_becomes_the_code_bug() {
    let tree = Tree::new(Broken);
    let (mut list, mut error) = (ptr::dangling_mut(), ptr::null_mut());
    // SAFETY: a tree and two places.
    let code = unsafe { peripety_tree_list(&tree, &mut list, &mut error) };
    assert_eq!(code, Code::Bug);
    assert!(list.is_null());
    // SAFETY: the error was handed over and is freed once.
    unsafe {
        assert_eq!(peripety_error_code(error), Code::Bug);
        let message = CStr::from_ptr(peripety_error_message(error)).to_str();
        assert!(message.is_ok_and(|message| message.starts_with("a bug in libperipety")));
        peripety_error_free(error);
    }
}

#[test]
fn a_panic_in_a_getter_becomes_not_known() {
    let mut value = 7;
    // SAFETY: a handle and a place.
    let known = unsafe { get_value(&1, &mut value, |_: &i32| -> Option<i32> { panic!("on purpose") }) };
    assert!(!known && value == 7);
}

#[test]
fn threads_may_share_handles() {
    fn shared<T: Send + Sync>() {}
    shared::<Tree>();
    shared::<Block>();
    shared::<List>();
    shared::<Mount>();
    shared::<Mounts>();
    shared::<Topology>();
    shared::<Failure>();
    shared::<crate::history::History>();
    shared::<crate::uevent::Uevent>();
}
