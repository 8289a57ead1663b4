//! The states of multipath paths, from multipathd.
//!
//! The kernel reveals the device-mapper state of a path only through an ioctl(2) on the device-mapper node. multipathd knows
//! it and reports it to everyone (multipathd(8), `show paths`). It is queried only on request: see [`Multipathd`].

mod exchange;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::net::SocketAddrUnix;

use crate::info::{BlkType, BlockInfo};
use crate::topology::Topology;

/// Where it listens: from version 0.12 on also at a path (libmpathcmd/mpath_cmd.c, mpath_connect__).
const PATH: &str = "/run/multipathd.socket";
const ABSTRACT: &[u8] = b"/org/kernel/linux/storage/multipathd";
/// One path a line, after a line of headings: the kernel's name, the state (libmultipath/print.c, pd).
const QUESTION: &str = "show paths format \"%d %t\"";
/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_millis(100);
/// The states that it reports (libmultipath/print.c, snprint_dm_path_state), besides `undef`.
const STATES: [&str; 2] = ["active", "failed"];
const UNKNOWN: &str = "unknown";

/// multipathd of the running machine. It is queried once for all devices of an answer, and only if one of them is a
/// multipath map; where systemd starts it on demand, a question starts it. Root must have begun to listen there.
#[derive(Clone, Debug)]
pub struct Multipathd {
    places: Vec<SocketAddrUnix>,
    patience: Duration,
    /// Who must listen there.
    uid: u32,
}

impl Default for Multipathd {
    fn default() -> Self {
        let places = [SocketAddrUnix::new(PATH), SocketAddrUnix::new_abstract_name(ABSTRACT)];
        Self { places: places.into_iter().flatten().collect(), patience: TIMEOUT, uid: 0 }
    }
}

impl Multipathd {
    /// Sets [`crate::Path::dm_state`] of the paths of all multipath maps among `blocks`: `unknown` where multipathd does
    /// not tell, also when it does not answer within 100 ms. Only devices of the running machine make sense.
    pub fn complete<'a>(&self, blocks: impl IntoIterator<Item = &'a mut BlockInfo>) {
        let maps = blocks.into_iter().filter(|block| block.blk_type == BlkType::DmMultipath);
        let mut maps: Vec<&mut BlockInfo> = maps.filter(|map| !map.paths.is_empty()).collect();
        if maps.is_empty() {
            return;
        }
        let states = self.states();
        for path in maps.iter_mut().flat_map(|map| &mut map.paths) {
            let state = states.get(&path.kdev).copied().unwrap_or(UNKNOWN);
            path.dm_state = Some(state.to_owned());
        }
    }

    /// The same for a device and all that is below and above it.
    pub fn complete_topology(&self, topology: &mut Topology) {
        self.complete(topology.blocks_mut());
    }

    /// The states, by the kernel name of the path; empty if there is no answer.
    fn states(&self) -> HashMap<String, &'static str> {
        let deadline = Instant::now() + self.patience;
        let answer = self.places.iter().find_map(|place| exchange::ask(place, self.uid, QUESTION, deadline));
        answer.map(|answer| states_in(&answer)).unwrap_or_default()
    }
}

/// `sdb active`, before version 0.6 `sdb [active]`. Other lines are headings, or an excuse.
fn states_in(answer: &str) -> HashMap<String, &'static str> {
    let state = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, word) = (words.next()?, words.next()?.trim_matches(['[', ']']));
        let known = STATES.into_iter().find(|state| *state == word)?;
        words.next().is_none().then(|| (name.to_owned(), known))
    };
    answer.lines().filter_map(state).collect()
}
