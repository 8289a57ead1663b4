//! What a device is built from and what is built on it: `peripety_topology`.

use std::collections::BTreeSet;
use std::ffi::c_char;
use std::ptr;

use peripety_blkinfo::{self as blkinfo, BlockInfo};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::boundary::{answer, element_at, free_functions, get, given, json, list_getters, own};
use crate::error::{Code, Failure};
use crate::fields::Block;
use crate::list::List;

/// `peripety_topology`: a whole tree, or a device inside one.
pub(crate) struct Topology {
    block: Block,
    below: Vec<Topology>,
    above: Vec<Topology>,
}

impl From<blkinfo::Topology> for Topology {
    fn from(topology: blkinfo::Topology) -> Self {
        let all = |side: Vec<blkinfo::Topology>| side.into_iter().map(Self::from).collect();
        Self { block: Block::from(topology.block), below: all(topology.below), above: all(topology.above) }
    }
}

impl Topology {
    /// The same as Rust knows it.
    pub(crate) fn to_rust(&self) -> blkinfo::Topology {
        let all = |side: &[Self]| side.iter().map(Self::to_rust).collect();
        blkinfo::Topology::new(self.block.info.clone(), all(&self.below), all(&self.above))
    }
}

/// As `peripety_blkinfo::Topology`.
impl Serialize for Topology {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Topology", 3)?;
        fields.serialize_field("block", &self.block.info)?;
        fields.serialize_field("below", &self.below)?;
        fields.serialize_field("above", &self.above)?;
        fields.end()
    }
}

list_getters! { Topology:
    peripety_topology_below_count, peripety_topology_below: Topology => Topology,
        |topology| &topology.below, element_at;
    peripety_topology_above_count, peripety_topology_above: Topology => Topology,
        |topology| &topology.above, element_at;
}
free_functions! { peripety_topology_free, Topology; }

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_topology_block(topology: *const Topology) -> *const Block {
    // SAFETY: the caller passes NULL or a topology.
    unsafe { get(topology, ptr::null(), |topology| ptr::from_ref(&topology.block)) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_topology_to_json(topology: *const Topology) -> *mut c_char {
    // SAFETY: the caller passes NULL or a topology.
    unsafe { get(topology, ptr::null_mut(), json) }
}

/// A level of a topology: what is right below, or right above.
type Side = fn(&Topology) -> &[Topology];

/// All devices of one side, nearest first, each once.
fn flat(topology: &Topology, side: Side) -> Vec<BlockInfo> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut level: Vec<&Topology> = side(topology).iter().collect();
    while !level.is_empty() {
        let infos = level.iter().map(|topology| &topology.block.info);
        found.extend(infos.filter(|info| seen.insert(info.kdev.as_str())).cloned());
        level = level.into_iter().flat_map(side).collect();
    }
    found
}

/// Gives a caller all devices of one side.
///
/// # Safety
/// The caller passes NULLs or a topology and places for the answers.
unsafe fn all(topology: *const Topology, side: Side, list: *mut *mut List, error: *mut *mut Failure) -> Code {
    // SAFETY: the caller promises it.
    unsafe { answer(list, error, || Ok(own(List::from(flat(given(topology, "topology")?, side))))) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_topology_all_below(
    topology: *const Topology,
    list: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a topology and places for the answers.
    unsafe { all(topology, |topology| &topology.below, list, error) }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_topology_all_above(
    topology: *const Topology,
    list: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a topology and places for the answers.
    unsafe { all(topology, |topology| &topology.above, list, error) }
}
