//! Which code of the kernel is about storage, and the sub-systems that the tables are made of.

/// Directories and files whose messages count.
pub const STORAGE: &[&str] = &[
    "block",
    "drivers/ata",
    "drivers/block",
    "drivers/cdrom",
    "drivers/dax",
    "drivers/infiniband/ulp/iser",
    "drivers/infiniband/ulp/srp",
    "drivers/iommu/amd/iommu.c",
    "drivers/iommu/intel/dmar.c",
    "drivers/md",
    "drivers/memstick",
    "drivers/message/fusion",
    "drivers/mmc",
    "drivers/mtd",
    "drivers/nvdimm",
    "drivers/nvme",
    "drivers/pci/hotplug/pciehp_core.c",
    "drivers/pci/hotplug/pciehp_ctrl.c",
    "drivers/pci/hotplug/pciehp_hpc.c",
    "drivers/pci/hotplug/pciehp_pci.c",
    "drivers/pci/pcie",
    "drivers/s390/block",
    "drivers/s390/scsi",
    "drivers/scsi",
    "drivers/target",
    "drivers/ufs",
    "drivers/usb/storage",
    "fs/bcachefs",
    "fs/btrfs",
    "fs/buffer.c",
    "fs/ceph",
    "fs/cifs",
    "fs/crypto",
    "fs/direct-io.c",
    "fs/dlm",
    "fs/erofs",
    "fs/exfat",
    "fs/ext2",
    "fs/ext4",
    "fs/f2fs",
    "fs/fat",
    "fs/fuse",
    "fs/gfs2",
    "fs/hfsplus",
    "fs/iomap",
    "fs/isofs",
    "fs/jbd2",
    "fs/jffs2",
    "fs/jfs",
    "fs/namespace.c",
    "fs/nfs",
    "fs/nilfs2",
    "fs/ntfs",
    "fs/ntfs3",
    "fs/ocfs2",
    "fs/overlayfs",
    "fs/quota",
    "fs/reiserfs",
    "fs/smb/client",
    "fs/squashfs",
    "fs/super.c",
    "fs/ubifs",
    "fs/udf",
    "fs/verity",
    "fs/xfs",
    "mm/filemap.c",
    "mm/page_io.c",
    "mm/swapfile.c",
    "mm/zswap.c",
    "net/ceph",
];

/// Directories of headers whose macros storage code uses.
pub const HEADERS: &[&str] = &["include/linux", "include/scsi", "include/target"];

/// Code that only tests use.
const TESTS: &[&str] = &[
    "/test",
    "_test.c",
    "/selftests/",
    "kunit",
    "scsi_debug",
    "null_blk",
    "aer_inject",
    "fault_inject",
    "error-injection",
    "fcloop",
    "block2mtd",
    "mtdram",
    "nandsim",
    "check-integrity",
];

/// A file that counts for nothing.
pub fn is_left_out(path: &str) -> bool {
    TESTS.iter().any(|part| path.contains(part))
}

/// A sub-system, as a row of the table: its name, and what the paths of its files begin with. The first that fits counts.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("NVMe target", &["drivers/nvme/target/"]),
    ("NVMe", &["drivers/nvme/"]),
    ("libata, AHCI", &["drivers/ata/libata", "drivers/ata/ahci", "drivers/ata/libahci"]),
    ("other ATA controllers", &["drivers/ata/"]),
    ("mpt3sas", &["drivers/scsi/mpt3sas/"]),
    ("mpi3mr", &["drivers/scsi/mpi3mr/"]),
    ("megaraid_sas", &["drivers/scsi/megaraid/megaraid_sas"]),
    ("smartpqi, hpsa, aacraid", &["drivers/scsi/smartpqi/", "drivers/scsi/hpsa", "drivers/scsi/aacraid/"]),
    ("lpfc", &["drivers/scsi/lpfc/"]),
    ("qla2xxx", &["drivers/scsi/qla2xxx/"]),
    (
        "libsas and its drivers",
        &[
            "drivers/scsi/libsas/",
            "drivers/scsi/hisi_sas/",
            "drivers/scsi/pm8001/",
            "drivers/scsi/isci/",
            "drivers/scsi/mvsas/",
        ],
    ),
    (
        "virtual HBAs",
        &[
            "drivers/scsi/virtio_scsi",
            "drivers/scsi/storvsc",
            "drivers/scsi/vmw_pvscsi",
            "drivers/scsi/xen-scsi",
            "drivers/scsi/ibmv",
        ],
    ),
    (
        "other FC and iSCSI HBAs",
        &[
            "drivers/scsi/qla4xxx/",
            "drivers/scsi/elx/",
            "drivers/scsi/bnx2",
            "drivers/scsi/qedf/",
            "drivers/scsi/qedi/",
            "drivers/scsi/fnic/",
            "drivers/scsi/snic/",
            "drivers/scsi/csiostor/",
            "drivers/scsi/be2iscsi/",
            "drivers/scsi/cxgbi/",
            "drivers/scsi/bfa/",
            "drivers/scsi/fcoe/",
            "drivers/scsi/libfc/",
            "drivers/scsi/cxlflash/",
        ],
    ),
    (
        "SCSI core",
        &[
            "drivers/scsi/sd",
            "drivers/scsi/sr",
            "drivers/scsi/st.",
            "drivers/scsi/ses",
            "drivers/scsi/sg.",
            "drivers/scsi/ch.",
            "drivers/scsi/scsi",
            "drivers/scsi/hosts",
            "drivers/scsi/constants",
            "drivers/scsi/device_handler/",
            "drivers/scsi/libiscsi",
            "drivers/scsi/iscsi",
            "drivers/scsi/raid_class",
        ],
    ),
    ("other SCSI HBAs", &["drivers/scsi/", "drivers/message/"]),
    ("md", &["drivers/md/md", "drivers/md/raid"]),
    ("bcache", &["drivers/md/bcache/"]),
    ("device mapper", &["drivers/md/"]),
    (
        "virtual and network disks",
        &[
            "drivers/block/virtio_blk",
            "drivers/block/xen",
            "drivers/block/nbd",
            "drivers/block/rbd",
            "drivers/block/loop",
            "drivers/block/zram/",
            "drivers/block/ublk",
        ],
    ),
    ("DRBD", &["drivers/block/drbd/"]),
    ("other block drivers", &["drivers/block/", "drivers/cdrom/"]),
    ("partition tables", &["block/partitions/"]),
    ("block layer", &["block/"]),
    ("MMC core", &["drivers/mmc/core/"]),
    ("MMC hosts, Memory Stick", &["drivers/mmc/", "drivers/memstick/"]),
    ("UFS", &["drivers/ufs/"]),
    ("USB storage", &["drivers/usb/"]),
    ("SCSI target", &["drivers/target/"]),
    ("flash (MTD, UBI)", &["drivers/mtd/"]),
    ("NVDIMM, DAX", &["drivers/nvdimm/", "drivers/dax/"]),
    ("DASD, zfcp", &["drivers/s390/"]),
    ("SRP, iSER", &["drivers/infiniband/"]),
    ("PCIe errors, hot-plug", &["drivers/pci/"]),
    ("IOMMU", &["drivers/iommu/"]),
    ("ext4, jbd2, ext2", &["fs/ext4/", "fs/jbd2/", "fs/ext2/"]),
    ("XFS", &["fs/xfs/"]),
    ("Btrfs", &["fs/btrfs/"]),
    ("F2FS", &["fs/f2fs/"]),
    ("FAT, exFAT, NTFS", &["fs/fat/", "fs/exfat/", "fs/ntfs/", "fs/ntfs3/"]),
    ("NFS", &["fs/nfs/"]),
    ("SMB", &["fs/smb/", "fs/cifs/"]),
    ("Ceph", &["fs/ceph/", "net/ceph/"]),
    ("GFS2, DLM", &["fs/gfs2/", "fs/dlm/"]),
    ("OCFS2", &["fs/ocfs2/"]),
    ("FUSE, overlayfs", &["fs/fuse/", "fs/overlayfs/"]),
    ("EROFS, SquashFS, ISO 9660, UDF", &["fs/erofs/", "fs/squashfs/", "fs/isofs/", "fs/udf/"]),
    (
        "VFS, quota, fs-verity, fscrypt, swap",
        &[
            "fs/iomap/",
            "fs/buffer.c",
            "fs/super.c",
            "fs/namespace.c",
            "fs/quota/",
            "fs/verity/",
            "fs/crypto/",
            "fs/direct-io.c",
            "mm/",
        ],
    ),
    ("other file systems", &["fs/"]),
];

/// The sub-system of a file.
pub fn group(path: &str) -> &'static str {
    let fits = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
    GROUPS.iter().find(|(_, prefixes)| fits(prefixes)).map_or("other", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_group() {
        for place in STORAGE {
            let path = if place.contains('.') { (*place).to_owned() } else { format!("{place}/x.c") };
            assert_ne!(group(&path), "other", "{path}");
        }
    }
}
