//! Devices that are looked up without the daemon: those of this machine, or of a machine in a support archive.

use std::path::Path;

use peripety_blkinfo::{archive, Tree};

use crate::args::DevicesArgs;
use crate::complain;
use crate::error::Error;

/// Problems of an archive that are printed one by one.
const MAX_SHOWN: usize = 5;

/// The tree that the options name; `None`: the daemon is asked.
pub fn tree(args: &DevicesArgs) -> Result<Option<Tree>, Error> {
    match &args.from {
        Some(path) => of_archive(path, args.host.as_deref()).map(Some),
        None => Ok(args.local.then(Tree::live)),
    }
}

/// The machine in an archive. What could not be read of it is reported, and the rest is answered from.
fn of_archive(path: &Path, host: Option<&str>) -> Result<Tree, Error> {
    let contents = archive::read(path, &|_| None)?;
    let machine = contents.machine(host)?;
    contents.problems.iter().take(MAX_SHOWN).for_each(|problem| complain(&problem.to_string()));
    if let Some(more) = contents.problems.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        complain(&format!("{}: {more} more files could not be read", path.display()));
    }
    Ok(machine.tree())
}
