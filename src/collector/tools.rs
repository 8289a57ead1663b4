//! The user-space tools that have rules, and what journald's trusted fields must contain for them.
//!
//! Every identifier of a built-in rule is listed here (`tests/rules.rs`: `every_writer_of_a_built_in_rule_is_known`).

/// A tool.
pub struct Tool {
    /// What it calls itself: `SYSLOG_IDENTIFIER`.
    pub identifier: &'static str,
    /// Names of its executables; `*` at the beginning or the end matches any text.
    pub programs: &'static [&'static str],
    /// Its systemd units, in the same way.
    pub units: &'static [&'static str],
    /// User ids that it runs as.
    pub users: &'static [&'static str],
}

const ROOT: &[&str] = &["0"];
/// `ceph`, whose UID is the same on all machines of a distribution: Red Hat and derivatives, Debian and derivatives.
const CEPH: &[&str] = &["0", "167", "64045"];

const LVM_UNITS: &[&str] = &[
    "dm-event.service",
    "lvm2-*",
    "lvm-activate-*",
    "systemd-udevd.service",
    "blk-availability.service",
    "systemd-cryptsetup@*",
];
/// systemd-fsck's identifier is also that of the checkers it runs.
const CHECKERS: &[&str] = &["systemd-fsck", "fsck", "fsck.*", "e2fsck", "xfs_repair", "dosfsck"];
const CHECKER_UNITS: &[&str] = &["systemd-fsck@*", "systemd-fsck-*"];
/// mount(8) and its helpers, which write under its name.
const MOUNTERS: &[&str] = &["mount", "mount.*", "ntfs-3g", "lowntfs-3g", "fuse*", "bash", "sh", "dash"];
const MOUNT_UNITS: &[&str] = &[
    "*.mount",
    "*.automount",
    "systemd-remount-fs.service",
    "udisks2.service",
    "autofs.service",
    "dracut-*",
    "initrd-*",
];

/// udevd, and its workers under the name that they give themselves.
const UDEV: &[&str] = &["systemd-udevd", "udevadm", "(udev-worker)"];
const STATUS_DAEMONS: &[&str] = &["*-statusd", "logger", "sh", "dash", "bash"];

/// All tools.
pub const TOOLS: &[Tool] = &[
    root("multipathd", &["multipathd"], &["multipathd.service"]),
    root("multipath", &["multipath"], &["systemd-udevd.service", "multipathd.service"]),
    root("dmeventd", &["dmeventd"], &["dm-event.service", "lvm2-monitor.service"]),
    root("lvm", &["lvm", "dmeventd"], LVM_UNITS),
    root("pvscan", &["lvm", "pvscan"], LVM_UNITS),
    root("lvmpolld", &["lvmpolld"], &["lvm2-lvmpolld.service"]),
    // A shell script.
    root("blkdeactivate", &["blkdeactivate", "bash"], &["blk-availability.service"]),
    root("iscsid", &["iscsid"], &["iscsid.service", "open-iscsi.service"]),
    root("iscsiadm", &["iscsiadm"], &["iscsi.service", "open-iscsi.service", "iscsi-*", "iscsid.service"]),
    root(
        "mdadm",
        &["mdadm"],
        &["mdmonitor*", "mdadm.service", "mdadm-*", "mdcheck*", "systemd-udevd.service"],
    ),
    root("smartd", &["smartd"], &["smartd.service", "smartmontools.service"]),
    // Its scripts write with logger(1).
    root("zed", &["zed", "logger"], &["zfs-zed.service", "zed.service"]),
    root("udisksd", &["udisksd"], &["udisks2.service"]),
    root("stratisd", &["stratisd*"], &["stratisd*"]),
    root("systemd", &["systemd", "init"], &["init.scope"]),
    root("systemd-fsck", CHECKERS, CHECKER_UNITS),
    root("fsck", CHECKERS, CHECKER_UNITS),
    root("stafd", &["stafd", "python3*"], &["stafd.service"]),
    root("stacd", &["stacd", "python3*"], &["stacd.service"]),
    root("nvme", &["nvme"], &["nvmf-*", "nvmefc-*", "systemd-udevd.service"]),
    root("tgtd", &["tgtd"], &["tgtd.service", "tgt.service"]),
    root("rbd-nbd", &["rbd-nbd"], &["rbdmap.service"]),
    root("mount", MOUNTERS, MOUNT_UNITS),
    root("swapon", &["swapon"], &["*.swap"]),
    root("swapoff", &["swapoff"], &["*.swap"]),
    // Of upstart.
    root("mountall", &["mountall"], &["mountall*"]),
    root("automount", &["automount"], &["autofs.service"]),
    root("systemd-cryptsetup", &["systemd-cryptsetup"], &["systemd-cryptsetup@*"]),
    // A shell script; its children log under its name.
    root("dracut-initqueue", &["*"], &["dracut-initqueue.service"]),
    // Its script tells it of a dead root file system; nothing runs under that name later.
    root("initramfs", &["sh", "busybox", "init"], &["init.scope"]),
    root("systemd-udevd", UDEV, &["systemd-udevd.service"]),
    root("(udev-worker)", UDEV, &["systemd-udevd.service"]),
    root("systemd-growfs", &["systemd-growfs"], &["systemd-growfs@*", "systemd-growfs-*"]),
    root(
        "rpc.mountd",
        &["rpc.mountd"],
        &["nfs-mountd.service", "nfs-server.service", "nfs-kernel-server.service"],
    ),
    // Of Unraid.
    root("emhttpd", &["emhttpd"], &["emhttpd.service"]),
    root("pvestatd", &["pvestatd", "perl"], &["pvestatd.service"]),
    root("GlusterFS", &["glusterfsd", "glusterfs", "glusterd"], &["gluster*", "*.mount", "*.scope"]),
    root("qemu", &["qemu*", "virtlogd"], &["machine-*", "libvirtd.service", "virt*"]),
    root("sbd", &["sbd"], &["sbd.service", "sbd_remote.service"]),
    // Agents of vendors of RAID controllers.
    root("MR_MONITOR", &["mrmonitor*", "MegaMonitor*", "java"], &["mrmonitor*", "vivaldi*", "megaraid*"]),
    root("Server Administrator", &["dsm_*"], &["dsm_*", "dataeng*", "instsvcdrv*", "srvadmin*"]),
    root("cmaidad", &["cmaidad"], &["hp-*", "cmaidad*"]),
    // Shell scripts.
    root("mpt-statusd", STATUS_DAEMONS, &["mpt-statusd.service"]),
    root("megaclisas-statusd", STATUS_DAEMONS, &["megaclisas-statusd.service"]),
    root("megaraidsas-statusd", STATUS_DAEMONS, &["megaraidsas-statusd.service"]),
    root("sas2ircu-statusd", STATUS_DAEMONS, &["sas2ircu-statusd.service"]),
    root("3ware-statusd", STATUS_DAEMONS, &["3ware-statusd.service"]),
    root("aacraid-statusd", STATUS_DAEMONS, &["aacraid-statusd.service"]),
    Tool {
        identifier: "ceph-volume",
        programs: &["ceph-volume", "python3*"],
        units: &["ceph-*"],
        users: CEPH,
    },
    Tool { identifier: "ceph-osd", programs: &["ceph-osd"], units: &["ceph-*"], users: CEPH },
    Tool { identifier: "ceph-mon", programs: &["ceph-mon"], units: &["ceph-*"], users: CEPH },
];

const fn root(
    identifier: &'static str,
    programs: &'static [&'static str],
    units: &'static [&'static str],
) -> Tool {
    Tool { identifier, programs, units, users: ROOT }
}
