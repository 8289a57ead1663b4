//! Several block devices: `peripety_list`.

use std::ffi::c_char;
use std::ptr;

use peripety_blkinfo::BlockInfo;

use crate::block::Block;
use crate::boundary::{element_at, free_functions, get, json, list_getters};

/// `peripety_list`.
pub(crate) struct List {
    blocks: Vec<Block>,
}

impl From<Vec<BlockInfo>> for List {
    fn from(blocks: Vec<BlockInfo>) -> Self {
        Self { blocks: blocks.into_iter().map(Block::from).collect() }
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
