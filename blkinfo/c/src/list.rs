//! Several block devices: `peripety_list`.

use std::ffi::c_char;
use std::ptr;

use peripety_blkinfo::BlockInfo;

use crate::boundary::{answer, element_at, free_functions, from_json, get, json, list_getters, own};
use crate::error::{Code, Failure};
use crate::fields::Block;

/// `peripety_list`.
pub(crate) struct List {
    blocks: Vec<Block>,
}

impl From<Vec<BlockInfo>> for List {
    fn from(blocks: Vec<BlockInfo>) -> Self {
        Self { blocks: blocks.into_iter().map(Block::from).collect() }
    }
}

impl List {
    /// The blocks as Rust knows them.
    pub(crate) fn infos(&self) -> impl Iterator<Item = BlockInfo> + '_ {
        self.blocks.iter().map(|block| block.info.clone())
    }
}

list_getters! { List:
    peripety_list_count, peripety_list_block: Block => Block, |list| &list.blocks, element_at;
}
free_functions! { peripety_list_free, List; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_list_to_json(list: *const List) -> *mut c_char {
    let write = |list: &List| json(&list.blocks.iter().map(|block| &block.info).collect::<Vec<_>>());
    // SAFETY: the caller passes NULL or a list.
    unsafe { get(list, ptr::null_mut(), write) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_list_from_json(
    text: *const c_char,
    list: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(list, error, || Ok(own(List::from(from_json::<Vec<BlockInfo>>(text, "text")?)))) }
}
