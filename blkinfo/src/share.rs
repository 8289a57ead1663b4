//! Work on thousands of devices is distributed over all processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Number of names that a thread takes at a time.
const SHARE: usize = 64;

/// Number of processors that this process may use. (The standard library would read files of cgroups for it.)
fn processors() -> usize {
    rustix::thread::sched_getaffinity(None).map_or(1, |processors| processors.count() as usize)
}

/// Does that with each of the names, by as many threads as there are processors; the results are in the order of the names.
pub(crate) fn shared_out<T: Send>(names: &[String], each: impl Fn(&String) -> Option<T> + Sync) -> Vec<T> {
    match names.len() > SHARE {
        true => by_threads(names, each),
        // Not even the thread that asks is made known to the library for threads.
        false => names.iter().filter_map(each).collect(),
    }
}

/// From the last name to the first: disks are read before the maps (`dm-…`) that are built from them, which ask for them.
fn by_threads<T: Send>(names: &[String], each: impl Fn(&String) -> Option<T> + Sync) -> Vec<T> {
    let shares: Vec<&[String]> = names.rchunks(SHARE).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(share) = shares.get(index) else { return done };
            let results: Vec<T> = share.iter().rev().filter_map(&each).collect();
            done.push((index, results));
        }
    };
    let mut done = thread::scope(|scope| {
        let helpers = 1..processors().min(shares.len());
        // Where no thread can be started, this one does all.
        let helpers: Vec<_> =
            helpers.filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        helpers.into_iter().for_each(|helper| match helper.join() {
            Ok(more) => done.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done
    });
    done.sort_unstable_by_key(|(index, _)| std::cmp::Reverse(*index));
    done.into_iter().flat_map(|(_, results)| results.into_iter().rev()).collect()
}
