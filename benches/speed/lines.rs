//! Log lines that are no storage events: what most of a journal consists of.

use crate::random::Random;

/// Kernel lines; `#` stands for a number that differs from line to line. Some look much like
/// storage events.
const KERNEL: &[&str] = &[
    "usb 1-#: new high-speed USB device number # using xhci_hcd",
    "usb 2-#: New USB device found, idVendor=0781, idProduct=#, bcdDevice= 1.00",
    "e1000e 0000:00:1f.6 eno1: NIC Link is Up # Mbps Full Duplex, Flow Control: Rx/Tx",
    "br-#: port 3(veth#) entered blocking state",
    "device veth# entered promiscuous mode",
    "IPv6: ADDRCONF(NETDEV_CHANGE): veth#: link becomes ready",
    "TCP: request_sock_TCP: Possible SYN flooding on port #. Sending cookies.",
    "nf_conntrack: nf_conntrack: table full, dropping packet #",
    "audit: type=1400 audit(1700000000.#:#): apparmor=\"DENIED\" operation=\"open\" profile=\"cups\" pid=#",
    "perf: interrupt took too long (# > 2500), lowering kernel.perf_event_max_sample_rate to #",
    "CPU#: Core temperature above threshold, cpu clock throttled (total events = #)",
    "Out of memory: Killed process # (java) total-vm:#kB, anon-rss:#kB, file-rss:0kB",
    "python3[#]: segfault at # ip 00007f2c sp 00007ffe error 4 in libc.so.6[7f2c+195000]",
    "input: Power Button as /devices/LNXSYSTM:00/LNXPWRBN:00/input/input#",
    "ACPI: battery: Slot [BAT0] (battery present), event #",
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks: #",
    "scsi #:0:0:1: Direct-Access     VENDOR   disk#        4.0  PQ: 0 ANSI: 5",
    "sd #:0:0:1: [sdq] # 512-byte logical blocks: (1.10 TB/1.00 TiB)",
    "sd #:0:0:1: [sdq] Write cache: enabled, read cache: enabled, supports DPO and FUA # times",
    "sd #:0:0:1: Power-on or device reset occurred, # so far",
    "EXT4-fs (dm-#): # orphan inodes to look at later",
    "SGI XFS with ACLs, security attributes, realtime, quota, no debug enabled (#)",
    "device-mapper: uevent: version 1.0.#",
    "nvme0n1: p1 p2 p#",
    "loop#: detected capacity change from 0 to #",
];

/// Words of messages of services.
const WORDS: &[&str] = &[
    "request",
    "session",
    "opened",
    "closed",
    "for",
    "user",
    "from",
    "timeout",
    "of",
    "connection",
    "accepted",
    "worker",
    "queue",
    "length",
    "response",
    "GET",
    "/api/v1/items",
    "status",
    "200",
    "404",
    "finished",
    "in",
    "retry",
    "container",
    "image",
    "started",
    "reload",
    "configuration",
    "cache",
    "miss",
];

/// A kernel line that no rule is for.
pub fn kernel(random: &mut Random) -> String {
    let template = random.pick(KERNEL);
    let mut line = String::with_capacity(template.len() + 16);
    for part in template.split_inclusive('#') {
        match part.strip_suffix('#') {
            Some(text) => line.push_str(&format!("{text}{}", random.below(10_000))),
            None => line.push_str(part),
        }
    }
    line
}

/// A line of some service; about one in a hundred is long.
pub fn service(random: &mut Random) -> String {
    let words = if random.below(100) == 0 { 200 } else { 4 + random.below(14) };
    let mut line = format!("[{:x}]", random.next());
    for _ in 0..words {
        line.push(' ');
        line.push_str(random.pick(WORDS));
    }
    line
}
