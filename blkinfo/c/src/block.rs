//! One block device: what is no plain getter of a field. Those are in `fields.rs`.

use std::ffi::c_char;
use std::ptr;

use peripety_blkinfo::BlockInfo;

use crate::boundary::{answer, c_string, free_functions, from_json, get, json, own};
use crate::error::{Code, Failure};
use crate::fields::Block;
use crate::names::BlkTypeCode;

free_functions! { peripety_block_free, Block; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_blk_type(block: *const Block) -> BlkTypeCode {
    // SAFETY: the caller passes NULL or a block.
    unsafe { get(block, BlkTypeCode::Other, |block| BlkTypeCode::of(block.info.blk_type)) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_major_minor(
    block: *const Block,
    major: *mut u32,
    minor: *mut u32,
) -> bool {
    // SAFETY: the caller passes NULL or a block.
    let number = unsafe { get(block, None, |block| block.info.major_minor) };
    // SAFETY: the caller passes NULL or places for the numbers.
    unsafe { crate::names::store(number, major, minor) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_to_json(block: *const Block) -> *mut c_char {
    // SAFETY: the caller passes NULL or a block.
    unsafe { get(block, ptr::null_mut(), |block| json(&block.info)) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_to_text(block: *const Block) -> *mut c_char {
    // SAFETY: the caller passes NULL or a block.
    unsafe { get(block, ptr::null_mut(), |block| c_string(&block.info.to_string()).into_raw()) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_from_json(
    text: *const c_char,
    block: *mut *mut Block,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULL or a string, and NULLs or places for the answers.
    unsafe { answer(block, error, || Ok(own(Block::from(from_json::<BlockInfo>(text, "text")?)))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_block_is_same(block: *const Block, later: *const Block) -> bool {
    // SAFETY: the caller passes NULLs or blocks.
    unsafe { get(block, false, |block| get(later, false, |later: &Block| block.info.is_same(&later.info))) }
}
