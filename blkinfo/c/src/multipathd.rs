//! What multipathd says of paths: `peripety_multipathd_…`.

use peripety_blkinfo::{BlockInfo, Multipathd};

use crate::boundary::{answer, given, own};
use crate::error::{Code, Failure};
use crate::fields::Block;
use crate::list::List;
use crate::topology::Topology;

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_multipathd_complete(
    list: *const List,
    completed: *mut *mut List,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a list and places for the answers.
    unsafe {
        answer(completed, error, || {
            let mut blocks: Vec<BlockInfo> = given(list, "list")?.infos().collect();
            Multipathd::default().complete(&mut blocks);
            Ok(own(List::from(blocks)))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_multipathd_complete_block(
    block: *const Block,
    completed: *mut *mut Block,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a block and places for the answers.
    unsafe {
        answer(completed, error, || {
            let mut info = given(block, "block")?.info.clone();
            Multipathd::default().complete([&mut info]);
            Ok(own(Block::from(info)))
        })
    }
}

/// See peripety.h.
#[no_mangle]
pub(crate) unsafe extern "C" fn peripety_multipathd_complete_topology(
    topology: *const Topology,
    completed: *mut *mut Topology,
    error: *mut *mut Failure,
) -> Code {
    // SAFETY: the caller passes NULLs or a topology and places for the answers.
    unsafe {
        answer(completed, error, || {
            let mut topology = given(topology, "topology")?.to_rust();
            Multipathd::default().complete_topology(&mut topology);
            Ok(own(Topology::from(topology)))
        })
    }
}
