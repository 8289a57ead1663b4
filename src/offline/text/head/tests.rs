use super::*;

const BODY: &str = "sd 2:0:0:1: [sdb] Sense Key : Medium Error [current]";

fn known(name: &[u8]) -> bool {
    [&b"kernel"[..], b"multipathd", b"multipath", b"dmeventd"].contains(&name)
}

#[test]
fn every_head_comes_off() {
    for head in [
        "",
        "[  123.456789] ",
        "<3>[  123.456789] ",
        "[  123.456789][  T312] ",
        "[  123.456789] [    C1] ",
        "[  123.456789] [ CPU0] ",
        "[  123.456789@1] ",
        "[  123.456789 <    0.000012>] ",
        "<3>[  123.456789]  (2)[123:kworker/u8:1]",
        "[Tue Nov 24 12:48:14 2026] ",
        "[Nov24 12:48] ",
        "[  +0.000123] ",
        "kern  :err   : [  123.456789] ",
        "kern  :err   : [Tue Nov 24 12:48:14 2026] ",
        "3,1234,123456789,-;",
        "6,1234,123456789,-,caller=T12;",
        "2026-11-24T12:48:14,123456+00:00 ",
        "Nov 24 12:48:14 host kernel: [  123.456789] ",
        "Nov 24 12:48:14 host kernel: ",
        "Nov  4 12:48:14 host kernel: [  123.456789] ",
        "Nov 24 12:48:14 host kernel:[  123.456789] ",
        "Nov 24 12:48:14 kernel: ",
        "Nov 24 12:48:14 host ",
        "Nov 24 12:48:14 ",
        "<3>Nov 24 12:48:14 host kernel: [  123.456789] ",
        "<3>1 2026-11-24T12:48:14.123Z host kernel - - - [  123.456789] ",
        "<3>1 2026-11-24T12:48:14.123Z host kernel - - [x@1 a=\"b]\"] ",
        "2026-11-24T12:48:14.123456+01:00 host kernel: [  123.456789] ",
        "2026-11-24 12:48:14 host kernel: ",
        "2026-11-24 12:48:14,123 host kernel: ",
        "2026-11-24T12:48:14+0100 host kernel: ",
        "Tue 2026-11-24 12:48:14 UTC host kernel: ",
        "Nov 24 12:48:14.123456 host kernel: ",
        "1795524494.123456 host kernel: ",
        "[  123.456789] host kernel: ",
        "Tue Nov 24 12:48:14 2026 kern.err kernel: [  123.456789] ",
        "Nov 24 12:48:14 host kern.err kernel: ",
        "Nov 24 12:48:14 kern.err kernel: ",
        "kernel: ",
        "kernel: [  123.456789] ",
        "host kernel: [  123.456789] ",
        "12:48:14 host kernel: ",
        "[2026-11-24 12:48:14] [  123.456789] ",
        "Nov 24 12:48:14 host kernel: <3>[  123.456789] ",
        "Nov 24 12:48:14 host kernel: kernel: ",
        " kernel:[  123.456789] ",
        "[Nov24 12:48] [Tue Nov 24 12:48:14 2026] [  T129] ",
        "[2026-11-24T12:48:14.123456Z ERROR console] [  123.456789] ",
        "Nov 24 12:48:14 [kern.warning] [  123.456789] ",
        "Nov 24 12:48:14 [kernel] [  123.456789] ",
    ] {
        for quote in ["", "> ", ">> ", "> > ", "    ", "| "] {
            let line = format!("{quote}{head}{BODY}");
            let read = read(line.as_bytes(), &known);
            let bodies = [Some(read.body.trim_ascii_start()), read.other];
            assert!(
                bodies.contains(&Some(BODY.as_bytes())),
                "{line}: {}",
                String::from_utf8_lossy(read.body)
            );
            assert!(read.tool.is_none(), "{line}");
        }
    }
}

#[test]
fn the_blanks_of_a_message_stay() {
    for head in ["[  123.456789] ", "Nov 24 12:48:14 host kernel: [  123.456789] ", "> [  1.000000] "] {
        let line = format!("{head}         res 41/40:00");
        assert_eq!(read(line.as_bytes(), &known).body, b"         res 41/40:00");
    }
}

#[test]
fn tools_are_named() {
    for head in [
        "Nov 24 12:48:14 host multipathd[123]: ",
        "multipathd[123]: ",
        "multipathd: ",
        "Tue 2026-11-24 12:48:14 UTC host multipathd.service[123]: ",
        "<30>1 2026-11-24T12:48:14Z host multipathd 123 - - ",
        "2026-11-24T12:48:14+01:00 host multipathd[123]: ",
        "<30>Nov 24 12:48:14 host multipathd[9]: ",
        "Nov 24 12:48:14 host /sbin/multipathd: ",
        "[  123.456789] host multipathd[123]: ",
        "[  123.456789] multipathd[123]: ",
    ] {
        let line = format!("{head}mpatha: remaining active paths: 1");
        let read = read(line.as_bytes(), &known);
        assert_eq!(
            (read.tool, read.body),
            (Some(&b"multipathd"[..]), &b"mpatha: remaining active paths: 1"[..]),
            "{line}"
        );
    }
    let other = read(b"Nov 24 12:48:14 host sshd[12]: EXT4-fs error", &known);
    assert_eq!((other.tool, other.other), (Some(&b"sshd"[..]), None));
    let lost = read(b"Nov 24 12:48:14 host ata3.00: failed command: READ", &known);
    assert_eq!(lost.other, Some(&b"ata3.00: failed command: READ"[..]));
}

#[test]
fn the_parts_are_right() {
    let head = read(b"<3>[   12.345] text", &known);
    assert_eq!((head.level, head.boot, head.headed, head.width), (Some(3), Some(12_345_000), true, 15));
    let head = read(b"Nov 24 12:48:14 myhost kernel: text", &known);
    assert_eq!(head.host, Some(&b"myhost"[..]));
    let bare = read(b"EXT4-fs error (device sda1): x", &known);
    assert_eq!((bare.headed, bare.body), (false, &b"EXT4-fs error (device sda1): x"[..]));
}

/// Heads in the log files of programs: the writer, and the message.
#[test]
fn programs_name_themselves() {
    for (line, tool, body) in [
        (
            "2024-06-03T05:16:06.226+0000 7fc33ca06700 -1 osd.40 0 OSD:init: x",
            "ceph-osd",
            "osd.40 0 OSD:init: x",
        ),
        ("2024-06-03T05:16:06.004691+0000 mon.a (mon.0) 88 : cluster [WRN] x", "ceph-mon", "cluster [WRN] x"),
        (
            "2024-06-03 05:16:06.876485 mon.a mon.1 10.0.0.5:6789/0 88 : cluster [ERR] x",
            "ceph-mon",
            "cluster [ERR] x",
        ),
        (
            "[2024-06-03 05:16:06.226000 +0000] E [MSGID: 7] [posix.c:1:f] 0-v-posix: x",
            "glusterfsd",
            "E [MSGID: 7] [posix.c:1:f] 0-v-posix: x",
        ),
        (
            "[2024-06-03 05:16:06.226000] W [posix.c:1:f] 0-v-posix: x",
            "glusterfsd",
            "W [posix.c:1:f] 0-v-posix: x",
        ),
        ("2024-06-03 05:16:06.226+0000: 1234: error : virFileRead:100 : x", "libvirtd", "x"),
        ("2024-06-03T05:16:06.226000Z qemu-system-x86_64: x", "qemu-system-x86_64", "x"),
        (
            "Jun 03 05:16:06 n1 pacemaker-controld  [1234] (do_fsa@fsa.c:12) \terror: x",
            "pacemaker-controld",
            "x",
        ),
        ("Jun 03 05:16:06 [1234] n1       crmd:    error: x", "crmd", "x"),
        ("Jun 03 05:16:06 n1 Filesystem(fs_data)[456]: ERROR: x", "Filesystem", "ERROR: x"),
        ("Jun 03 05:16:06 n1 (udev-worker)[400]: x", "(udev-worker)", "x"),
        ("Jun 03 05:16:06 n1 Server Administrator: x", "Server Administrator", "x"),
        ("[FAILED] Failed to mount /data.", "systemd", "Failed to mount /data."),
        (
            "[ TIME ] Timed out waiting for device /dev/sdb.",
            "systemd",
            "Timed out waiting for device /dev/sdb.",
        ),
    ] {
        let head = read(line.as_bytes(), &known);
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        assert_eq!(
            (head.tool.map(shown), shown(head.body)),
            (Some(tool.to_owned()), body.to_owned()),
            "{line}"
        );
    }
}

/// Texts that look like a head but are not.
#[test]
fn words_of_the_kernel_are_no_writers() {
    for line in [
        "Jun  3 05:16:06 h1 kernel: scsi(4): Asynchronous LOOP DOWN (2).",
        "[   12.345678] scsi(4): Asynchronous LOOP DOWN (2).",
        "[   12.345678] EXT4-fs (sda1): x",
        "Jun  3 05:16:06 h1 EXT4-fs (sda1): x",
        "[   12.345678] [drm] x",
    ] {
        assert_eq!(read(line.as_bytes(), &known).tool, None, "{line}");
    }
}
