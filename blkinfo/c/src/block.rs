//! One block device: `peripety_block`.

use std::ffi::{c_char, CString};
use std::ptr;

use peripety_blkinfo::BlockInfo;

use crate::boundary::{
    answer, c_string, c_strings, element_at, free_functions, from_json, get, json, list_getters, or_null,
    own, string_at, string_getters, value_getters,
};
use crate::error::{Code, Failure};
use crate::names::BlkTypeCode;
use crate::parts::{Extension, Owner, Path};

/// `peripety_block`.
pub(crate) struct Block {
    pub(crate) info: BlockInfo,
    strings: Strings,
    owners: Vec<Owner>,
    owners_wwids: Vec<CString>,
    slaves: Vec<CString>,
    holders: Vec<CString>,
    mount_points: Vec<CString>,
    paths: Vec<Path>,
    pub(crate) extension: Extension,
}

/// The fields of a block that are one string, as C reads them.
struct Strings {
    kdev: CString,
    dev_path: CString,
    address: Option<CString>,
    stable_path: Option<CString>,
    dev_wwid: Option<CString>,
    serial: Option<CString>,
    model: Option<CString>,
    vendor: Option<CString>,
    fs_type: Option<CString>,
    fs_uuid: Option<CString>,
    fs_label: Option<CString>,
    transport: Option<CString>,
}

impl From<&BlockInfo> for Strings {
    fn from(info: &BlockInfo) -> Self {
        let optional = |text: &Option<String>| text.as_deref().map(c_string);
        Self {
            kdev: c_string(&info.kdev),
            dev_path: c_string(&info.dev_path),
            address: optional(&info.address),
            stable_path: optional(&info.stable_path),
            dev_wwid: optional(&info.dev_wwid),
            serial: optional(&info.serial),
            model: optional(&info.model),
            vendor: optional(&info.vendor),
            fs_type: optional(&info.fs_type),
            fs_uuid: optional(&info.fs_uuid),
            fs_label: optional(&info.fs_label),
            transport: optional(&info.transport),
        }
    }
}

impl From<BlockInfo> for Block {
    fn from(info: BlockInfo) -> Self {
        Self {
            strings: Strings::from(&info),
            owners: info.owners.iter().map(Owner::from).collect(),
            owners_wwids: c_strings(info.owners_wwids()),
            slaves: c_strings(&info.slaves),
            holders: c_strings(&info.holders),
            mount_points: c_strings(&info.mount_points),
            paths: info.paths.iter().map(Path::from).collect(),
            extension: Extension::from(&info.extension),
            info,
        }
    }
}

string_getters! { Block:
    peripety_block_kdev => |block| block.strings.kdev.as_ptr();
    peripety_block_dev_path => |block| block.strings.dev_path.as_ptr();
    peripety_block_address => |block| or_null(&block.strings.address);
    peripety_block_stable_path => |block| or_null(&block.strings.stable_path);
    peripety_block_dev_wwid => |block| or_null(&block.strings.dev_wwid);
    peripety_block_serial => |block| or_null(&block.strings.serial);
    peripety_block_model => |block| or_null(&block.strings.model);
    peripety_block_vendor => |block| or_null(&block.strings.vendor);
    peripety_block_fs_type => |block| or_null(&block.strings.fs_type);
    peripety_block_fs_uuid => |block| or_null(&block.strings.fs_uuid);
    peripety_block_fs_label => |block| or_null(&block.strings.fs_label);
    peripety_block_transport => |block| or_null(&block.strings.transport);
}
value_getters! { Block:
    peripety_block_size_bytes, u64 => |block| Some(block.info.size_bytes);
    peripety_block_removable, bool => |block| block.info.removable;
    peripety_block_rotational, bool => |block| block.info.rotational;
    peripety_block_read_only, bool => |block| block.info.read_only;
    peripety_block_present_since, u64 => |block| block.info.present_since;
    peripety_block_diskseq, u64 => |block| block.info.diskseq;
}
list_getters! { Block:
    peripety_block_owner_count, peripety_block_owner: Owner => Owner, |block| &block.owners, element_at;
    peripety_block_owners_wwid_count, peripety_block_owners_wwid: CString => c_char,
        |block| &block.owners_wwids, string_at;
    peripety_block_owners_path_count, peripety_block_owners_path: Owner => c_char, |block| &block.owners, node_at;
    peripety_block_slave_count, peripety_block_slave: CString => c_char, |block| &block.slaves, string_at;
    peripety_block_holder_count, peripety_block_holder: CString => c_char, |block| &block.holders, string_at;
    peripety_block_mount_point_count, peripety_block_mount_point: CString => c_char,
        |block| &block.mount_points, string_at;
    peripety_block_path_count, peripety_block_path: Path => Path, |block| &block.paths, element_at;
}
free_functions! { peripety_block_free, Block; }

fn node_at(owners: &[Owner], index: usize) -> *const c_char {
    owners.get(index).map_or(ptr::null(), |owner| owner.dev_path.as_ptr())
}

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
