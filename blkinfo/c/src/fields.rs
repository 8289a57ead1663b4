// Generated from io.peripety.varlink by `make generate`: do not edit.

//! The handles for owners, paths and blocks, and the getters of their fields.

use std::ffi::{c_char, CString};

use peripety_blkinfo as blkinfo;

use crate::boundary::{
    c_string, c_strings, element_at, list_getters, or_null, string_at, string_getters, value_getters,
};
use crate::parts::{extension_getters, Extension};

/// `peripety_owner`.
pub(crate) struct Owner {
    kdev: CString,
    dev_path: CString,
    dev_wwid: Option<CString>,
}

impl From<&blkinfo::Owner> for Owner {
    fn from(info: &blkinfo::Owner) -> Self {
        Self {
            kdev: c_string(&info.kdev),
            dev_path: c_string(&info.dev_path),
            dev_wwid: info.dev_wwid.as_deref().map(c_string),
        }
    }
}

string_getters! { Owner:
    peripety_owner_kdev => |owner| owner.kdev.as_ptr();
    peripety_owner_dev_path => |owner| owner.dev_path.as_ptr();
    peripety_owner_dev_wwid => |owner| or_null(&owner.dev_wwid);
}

/// `peripety_path`.
pub(crate) struct Path {
    kdev: CString,
    address: Option<CString>,
    state: Option<CString>,
    access_state: Option<CString>,
    preferred: Option<bool>,
    dm_state: Option<CString>,
    extension: Extension,
}

impl From<&blkinfo::Path> for Path {
    fn from(info: &blkinfo::Path) -> Self {
        Self {
            kdev: c_string(&info.kdev),
            address: info.address.as_deref().map(c_string),
            state: info.state.as_deref().map(c_string),
            access_state: info.access_state.as_deref().map(c_string),
            preferred: info.preferred,
            dm_state: info.dm_state.as_deref().map(c_string),
            extension: Extension::from(&info.extension),
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
extension_getters! { Path:
    peripety_path_extension_count, peripety_path_extension_key, peripety_path_extension_value, peripety_path_extension => |path| &path.extension;
}

/// `peripety_block`.
pub(crate) struct Block {
    pub(crate) info: blkinfo::BlockInfo,
    kdev: CString,
    address: Option<CString>,
    diskseq: Option<u64>,
    dev_path: CString,
    stable_path: Option<CString>,
    dev_wwid: Option<CString>,
    owners: Vec<Owner>,
    owners_wwids: Vec<CString>,
    owners_paths: Vec<CString>,
    slaves: Vec<CString>,
    holders: Vec<CString>,
    paths: Vec<Path>,
    size_bytes: u64,
    serial: Option<CString>,
    model: Option<CString>,
    vendor: Option<CString>,
    removable: Option<bool>,
    rotational: Option<bool>,
    read_only: Option<bool>,
    queue_depth: Option<u64>,
    numa_node: Option<u64>,
    fs_type: Option<CString>,
    fs_uuid: Option<CString>,
    fs_label: Option<CString>,
    mount_points: Vec<CString>,
    transport: Option<CString>,
    extension: Extension,
    present_since: Option<u64>,
}

impl From<blkinfo::BlockInfo> for Block {
    fn from(info: blkinfo::BlockInfo) -> Self {
        Self {
            kdev: c_string(&info.kdev),
            address: info.address.as_deref().map(c_string),
            diskseq: info.diskseq,
            dev_path: c_string(&info.dev_path),
            stable_path: info.stable_path.as_deref().map(c_string),
            dev_wwid: info.dev_wwid.as_deref().map(c_string),
            owners: info.owners.iter().map(Owner::from).collect(),
            owners_wwids: c_strings(info.owners_wwids()),
            owners_paths: c_strings(info.owners_paths()),
            slaves: c_strings(&info.slaves),
            holders: c_strings(&info.holders),
            paths: info.paths.iter().map(Path::from).collect(),
            size_bytes: info.size_bytes,
            serial: info.serial.as_deref().map(c_string),
            model: info.model.as_deref().map(c_string),
            vendor: info.vendor.as_deref().map(c_string),
            removable: info.removable,
            rotational: info.rotational,
            read_only: info.read_only,
            queue_depth: info.queue_depth,
            numa_node: info.numa_node,
            fs_type: info.fs_type.as_deref().map(c_string),
            fs_uuid: info.fs_uuid.as_deref().map(c_string),
            fs_label: info.fs_label.as_deref().map(c_string),
            mount_points: c_strings(&info.mount_points),
            transport: info.transport.as_deref().map(c_string),
            extension: Extension::from(&info.extension),
            present_since: info.present_since,
            info,
        }
    }
}

string_getters! { Block:
    peripety_block_kdev => |block| block.kdev.as_ptr();
    peripety_block_address => |block| or_null(&block.address);
    peripety_block_dev_path => |block| block.dev_path.as_ptr();
    peripety_block_stable_path => |block| or_null(&block.stable_path);
    peripety_block_dev_wwid => |block| or_null(&block.dev_wwid);
    peripety_block_serial => |block| or_null(&block.serial);
    peripety_block_model => |block| or_null(&block.model);
    peripety_block_vendor => |block| or_null(&block.vendor);
    peripety_block_fs_type => |block| or_null(&block.fs_type);
    peripety_block_fs_uuid => |block| or_null(&block.fs_uuid);
    peripety_block_fs_label => |block| or_null(&block.fs_label);
    peripety_block_transport => |block| or_null(&block.transport);
}
value_getters! { Block:
    peripety_block_diskseq, u64 => |block| block.diskseq;
    peripety_block_size_bytes, u64 => |block| Some(block.size_bytes);
    peripety_block_removable, bool => |block| block.removable;
    peripety_block_rotational, bool => |block| block.rotational;
    peripety_block_read_only, bool => |block| block.read_only;
    peripety_block_queue_depth, u64 => |block| block.queue_depth;
    peripety_block_numa_node, u64 => |block| block.numa_node;
    peripety_block_present_since, u64 => |block| block.present_since;
}
list_getters! { Block:
    peripety_block_owner_count, peripety_block_owner: Owner => Owner, |block| &block.owners, element_at;
    peripety_block_owners_wwid_count, peripety_block_owners_wwid: CString => c_char, |block| &block.owners_wwids, string_at;
    peripety_block_owners_path_count, peripety_block_owners_path: CString => c_char, |block| &block.owners_paths, string_at;
    peripety_block_slave_count, peripety_block_slave: CString => c_char, |block| &block.slaves, string_at;
    peripety_block_holder_count, peripety_block_holder: CString => c_char, |block| &block.holders, string_at;
    peripety_block_path_count, peripety_block_path: Path => Path, |block| &block.paths, element_at;
    peripety_block_mount_point_count, peripety_block_mount_point: CString => c_char, |block| &block.mount_points, string_at;
}
extension_getters! { Block:
    peripety_block_extension_count, peripety_block_extension_key, peripety_block_extension_value, peripety_block_extension => |block| &block.extension;
}
