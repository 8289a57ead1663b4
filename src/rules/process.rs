//! Kernel lines that begin with the name of a process.
//!
//! Any user may name a process `XFS (dm-0): x`; when it crashes, the kernel prints a genuine line that begins so.

/// Length of a process's name at most: TASK_COMM_LEN of include/linux/sched.h, without its NUL.
const NAME: usize = 15;
/// What the kernel prints right behind the name: the process's number in brackets or parentheses (arch/x86/mm/fault.c
/// `show_signal_msg`, fs/drop_caches.c), or these words (mm/oom_kill.c `dump_header`, mm/page_alloc.c `warn_alloc`).
const BEHIND: [&[u8]; 2] = [b" invoked oom-killer", b": page allocation failure"];

/// The line may begin with the name of a process, so that it tells nothing about storage.
pub fn speaks(line: &[u8]) -> bool {
    let end = line.len().min(NAME + 1);
    (1..end).filter_map(|at| line.get(at..)).any(|rest| {
        BEHIND.iter().any(|words| rest.starts_with(words))
            || is_number(rest, b"[", b"]: ")
            || is_number(rest, b"[", b"] ")
            || is_number(rest, b" (", b"): ")
    })
}

/// Digits between two texts, and something that no storage line has behind a number so early: `[4242]: segfault`.
fn is_number(rest: &[u8], open: &[u8], close: &[u8]) -> bool {
    let Some(inner) = rest.strip_prefix(open) else { return false };
    let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && inner.get(digits..).is_some_and(|behind| behind.starts_with(close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_are_known() {
        for line in [
            "XFS (dm-0): x[4242]: segfault at 0 ip 000055d5",
            "ata1.00: x[7] general protection fault",
            "md/raid1:md0: (4242): drop_caches: 3",
            "nvme nvme0: bad invoked oom-killer: gfp_mask=0xcc0",
            "XFS (dm-0): xxx: page allocation failure: order:4",
        ] {
            assert!(speaks(line.as_bytes()), "{line}");
        }
        for line in
            ["XFS (dm-0): Internal error", "sd 0:0:0:0: [sda] tag#3 FAILED", "", "x", "mmc0: error -110 x"]
        {
            assert!(!speaks(line.as_bytes()), "{line}");
        }
    }
}
