//! The device tree and the questions to it: `peripety_tree`.

use std::ffi::{c_char, c_uint};
use std::ptr;

use peripety_blkinfo::{BlockInfo, DevNumber, Error, Recorded, Tree};

use crate::boundary::{answer, c_string, file_name, free_functions, get, given, own, string};
use crate::error::{Code, Failure};
use crate::fields::Block;
use crate::list::List;
use crate::mount::{Mount, Mounts};
use crate::names::blk_type;
use crate::source::{Callbacks, SourceTable};
use crate::topology::Topology;

free_functions! { peripety_tree_free, Tree; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_live(tree: *mut *mut Tree, error: *mut *mut Failure) -> Code {
    // SAFETY: the caller passes NULLs or places for the answers.
    unsafe { answer(tree, error, || Ok(own(Tree::live()))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_open(
    path: *const c_char,
    tree: *mut *mut Tree,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(tree, error, || Ok(own(Tree::open(file_name(path, "path")?)?))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_directory(
    root: *const c_char,
    tree: *mut *mut Tree,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(tree, error, || Ok(own(Tree::directory(file_name(root, "root")?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_archive(
    path: *const c_char,
    host: *const c_char,
    tree: *mut *mut Tree,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or strings, and NULLs or places for the answers.
    unsafe {
        answer(tree, error, || {
            let path = file_name(path, "path")?;
            let host = if host.is_null() { None } else { Some(string(host, "host")?) };
            Ok(own(Tree::from_archive(path, host)?))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_recorded(
    text: *const c_char,
    tree: *mut *mut Tree,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(tree, error, || Ok(own(Tree::recorded(string(text, "text")?)?))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_new(
    source: *const SourceTable,
    tree: *mut *mut Tree,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a source, and NULLs or places for the answers.
    unsafe { answer(tree, error, || Ok(own(Tree::new(Callbacks::new(*given(source, "source")?)?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_recorded_to_text(
    text: *const c_char,
    plain: *mut *mut c_char,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe {
        answer(plain, error, || Ok(c_string(&Recorded::parse(string(text, "text")?)?.to_text()).into_raw()))
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_is_live(tree: *const Tree) -> bool {
    // SAFETY: the caller passes NULL or a tree.
    unsafe { get(tree, false, Tree::is_live) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_boot_id(
    tree: *const Tree,
    boot_id: *mut *mut c_char,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a tree, and NULLs or places for the answers.
    unsafe { answer(boot_id, error, || Ok(c_string(&given(tree, "tree")?.boot_id()?).into_raw())) }
}

/// Questions with a device string for which there is one block.
macro_rules! block_questions {
    ($($function:ident, $argument:ident => $ask:expr;)*) => {$(
        #[doc = concat!("See peripety.h: `", stringify!($function), "`.")]
        #[no_mangle]
        pub(crate) unsafe extern "C" fn $function(
            tree: *const Tree,
            $argument: *const c_char,
            block: *mut *mut Block,
            error: *mut *mut Failure,
        ) -> Code {
            let ask: fn(&Tree, &str) -> Result<BlockInfo, Error> = $ask;
            // SAFETY: the caller passes NULLs or a tree, a string, and places for the answers.
            unsafe {
                answer(block, error, || {
                    let info = ask(given(tree, "tree")?, string($argument, stringify!($argument))?)?;
                    Ok(own(Block::from(info)))
                })
            }
        }
    )*};
}

block_questions! {
    peripety_tree_block, device => Tree::block;
    peripety_tree_kernel_block, kdev => Tree::kernel_block;
    peripety_tree_identity_of_fs, uuid => Tree::identity_of_fs;
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_holders_of_type(
    tree: *const Tree,
    kdev: *const c_char,
    kind: c_uint,
    block: *mut *mut Block,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree, a string, and places for the answers.
    unsafe {
        answer(block, error, || {
            let (tree, kdev) = (given(tree, "tree")?, string(kdev, "kdev")?);
            let kind = blk_type(kind).ok_or_else(|| Failure::invalid("blk_type is not a known number"))?;
            let found = tree.holders_of_type(kdev, kind);
            Ok(found.map_or(ptr::null_mut(), |info| own(Block::from(info))))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_list(
    tree: *const Tree,
    list: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree and places for the answers.
    unsafe { answer(list, error, || Ok(own(List::from(given(tree, "tree")?.list()?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_list_all(
    tree: *const Tree,
    list: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree and places for the answers.
    unsafe { answer(list, error, || Ok(own(List::from(given(tree, "tree")?.list_all()?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_topology(
    tree: *const Tree,
    device: *const c_char,
    topology: *mut *mut Topology,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree, a string, and places for the answers.
    unsafe {
        answer(topology, error, || {
            let found = given(tree, "tree")?.topology(string(device, "device")?)?;
            Ok(own(Topology::from(found)))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_mounts(
    tree: *const Tree,
    mounts: *mut *mut Mounts,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree and places for the answers.
    unsafe { answer(mounts, error, || Ok(own(Mounts::from(given(tree, "tree")?.mounts()?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_mount_of(
    tree: *const Tree,
    major: u32,
    minor: u32,
    mounts: *mut *mut Mounts,
    error: *mut *mut Failure,
) -> Code {
    let number = DevNumber { major, minor };
    // SAFETY: the caller passes NULLs or a tree and places for the answers.
    unsafe { answer(mounts, error, || Ok(own(Mounts::from(given(tree, "tree")?.mount_of(number))))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_tree_mount_at(
    tree: *const Tree,
    path: *const c_char,
    mount: *mut *mut Mount,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a tree, a string, and places for the answers.
    unsafe {
        answer(mount, error, || {
            let found = given(tree, "tree")?.mount_at(string(path, "path")?)?;
            Ok(found.map_or(ptr::null_mut(), |mount| own(Mount::from(mount))))
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
