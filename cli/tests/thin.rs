//! `prpt` is a thin client: what it links, and how large it is.
#![allow(clippy::unwrap_used)]

mod elf;

use elf::Elf;

fn prpt() -> Option<Elf> {
    let elf = Elf::read(env!("CARGO_BIN_EXE_prpt").as_ref());
    if elf.is_none() {
        eprintln!("SKIPPED prpt's links: it is no 64-bit little-endian program here");
    }
    elf
}

#[test]
fn prpt_links_neither_libsystemd_nor_the_daemon() {
    let Some(prpt) = prpt() else { return };
    let needed = prpt.needed();
    assert!(needed.iter().any(|library| library.starts_with("libc")), "{needed:?}");
    assert!(!needed.iter().any(|library| library.contains("systemd")), "{needed:?}");

    // A mangled name has each part of a path with its length before it.
    let symbols = prpt.symbols();
    let of = |part: &str| symbols.iter().find(|symbol| symbol.contains(part));
    assert!(of("12peripety_api").is_some(), "{} symbols, none of peripety_api", symbols.len());
    for foreign in ["8peripety", "peripety..", "sd_journal_", "5tokio"] {
        assert_eq!(of(foreign), None, "{foreign}");
    }
}

/// Most bytes that are loaded of a release build, which is what strip(1) leaves of it: 6.8 MB when this was written, half of it the rules and what tries them. What prpt does
/// without a daemon it does by a library, not by an implementation of its own.
// What reads support archives (gzip, xz, bzip2, zstd, zip, the lists in them) takes 1.2 MB of 8.6 MB.
const MAX_BYTES: u64 = 9 << 20;

#[test]
fn prpt_is_small() {
    let Some(prpt) = prpt() else { return };
    // Code that is not optimised is twice as large.
    let most = if cfg!(debug_assertions) { 2 * MAX_BYTES } else { MAX_BYTES };
    let loaded = prpt.loaded();
    assert!((1 << 18..most).contains(&loaded), "{loaded} bytes of prpt are loaded, not {most} at most");
}
