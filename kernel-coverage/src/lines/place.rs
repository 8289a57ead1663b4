//! Names of devices in messages: two machines, so that no rule fits one name only.

/// A name in braces, and what stands for it on each of the two machines.
const NAMES: &[(&str, [&str; 2])] = &[
    ("{sd}", ["sda", "sdaf"]),
    ("{part}", ["sda1", "dm-3"]),
    ("{scsi}", ["2:0:0:0", "11:0:5:3"]),
    ("{command}", ["sd 2:0:0:0", "sd 11:0:5:3"]),
    ("{host}", ["scsi host2", "scsi host11"]),
    ("{target}", ["scsi target2:0:0", "scsi target11:0:5"]),
    ("{number}", ["2", "11"]),
    ("{tag}", ["17", "4"]),
    ("{ata}", ["ata3", "ata11"]),
    ("{pci}", ["0000:3b:00.0", "0001:af:00.1"]),
    ("{port}", ["0000:3a:00.0", "0001:ae:02.0"]),
    ("{nvme}", ["nvme0", "nvme11"]),
    ("{ns}", ["nvme0n1", "nvme11n2"]),
    ("{mmc}", ["mmc0", "mmc1"]),
    ("{card}", ["mmc0:0001", "mmc1:aaaa"]),
    ("{mmcblk}", ["mmcblk0", "mmcblk1"]),
    ("{mtd}", ["mtd0", "mtd3"]),
    ("{ubi}", ["ubi0", "ubi1"]),
    ("{pmem}", ["pmem0", "pmem1"]),
    ("{region}", ["namespace0.0", "namespace1.2"]),
    ("{dasd}", ["dasda", "dasdbc"]),
    ("{ccw}", ["0.0.1234", "0.1.a00f"]),
    ("{usb}", ["2-1:1.0", "1-3.4:1.1"]),
    ("{vd}", ["vda", "vdab"]),
    ("{xvd}", ["xvda", "xvdb"]),
    ("{dm}", ["253:4", "252:17"]),
    ("{bdev}", ["8:16", "65:240"]),
    ("{md}", ["md0", "md127"]),
    ("{server}", ["nas1.example.com", "192.168.1.20"]),
    ("{platform}", ["fe320000.mmc", "ff0f0000.mmc"]),
];

/// A text with the names of one of the machines.
pub fn named(text: &str, machine: usize) -> String {
    let mut text = text.to_owned();
    for (name, values) in NAMES {
        if text.contains('{') {
            text = text.replace(name, values.get(machine).unwrap_or(name));
        }
    }
    text
}

/// Where code stands, the disk that it is about, and what dev_printk() prints first (driver and name of the device).
/// `{module}` is the module of the file.
const PLACES: &[(&str, &str, &str)] = &[
    ("drivers/nvme/target", "{ns}", "nvmet {pci}"),
    ("drivers/nvme/host/pci", "{ns}", "nvme {pci}"),
    ("drivers/nvme", "{ns}", "nvme {nvme}"),
    ("drivers/scsi/storvsc", "{sd}", "hv_storvsc f8b3781b-1e82-4818-a1c3-63d806ec15bb"),
    ("drivers/scsi/virtio_scsi", "{sd}", "virtio_scsi virtio{number}"),
    ("drivers/scsi/xen", "{sd}", "xen_scsifront vscsi-0"),
    ("drivers/scsi/hisi_sas", "{sd}", "hisi_sas_v3_hw {pci}"),
    ("drivers/scsi/libsas", "{sd}", "sas: {ata}"),
    ("drivers/scsi/ibmv", "{sd}", "{module} 30000002"),
    ("drivers/scsi", "{sd}", "{module} {pci}"),
    ("drivers/message", "{sd}", "{module} {pci}"),
    ("drivers/ata/lib", "{sd}", "ahci {pci}"),
    ("drivers/ata", "{sd}", "{module} {pci}"),
    ("drivers/ufs", "{sd}", "ufshcd-qcom 1d84000.ufshc"),
    ("drivers/mmc/core/block", "{mmcblk}", "mmcblk {card}"),
    ("drivers/mmc/core", "{mmcblk}", "mmc_host {mmc}"),
    ("drivers/mmc", "{mmcblk}", "{module} {platform}"),
    ("drivers/memstick", "mspblk0", "{module} memstick0"),
    ("drivers/mtd/ubi", "{ubi}", "ubi {ubi}"),
    ("drivers/mtd", "{mtd}", "{module} fe330000.nand-controller"),
    ("drivers/nvdimm", "{pmem}", "nd_pmem {region}"),
    ("drivers/dax", "{pmem}", "device_dax dax0.0"),
    ("drivers/s390/block/dasd", "{dasd}", "dasd-eckd {ccw}"),
    ("drivers/s390/scsi", "{sd}", "zfcp {ccw}"),
    ("drivers/s390", "{dasd}", "{module} {ccw}"),
    ("drivers/usb/storage/uas", "{sd}", "uas {usb}"),
    ("drivers/usb", "{sd}", "usb-storage {usb}"),
    ("drivers/block/virtio_blk", "{vd}", "virtio_blk virtio{number}"),
    ("drivers/block/xen-blkfront", "{xvd}", "vbd vbd-51712"),
    ("drivers/block/nbd", "nbd{number}", "block nbd{number}"),
    ("drivers/block/rbd", "rbd{number}", "rbd {number}"),
    ("drivers/block/drbd", "drbd{number}", "block drbd{number}"),
    ("drivers/block/loop", "loop{number}", "block loop{number}"),
    ("drivers/block/zram", "zram{number}", "block zram{number}"),
    ("drivers/block/rnbd", "rnbd{number}", "rnbd_client rnbd{number}"),
    ("drivers/block/floppy", "fd0", "floppy0"),
    ("drivers/block/mtip", "rssda", "mtip32xx {pci}"),
    ("drivers/block/aoe", "etherd/e1.1", "aoe"),
    ("drivers/block", "{sd}", "{module} {pci}"),
    ("drivers/md/bcache", "bcache{number}", "bcache bcache{number}"),
    ("drivers/md/md", "{part}", "block {md}"),
    ("drivers/md/raid", "{part}", "block {md}"),
    ("drivers/md", "{bdev}", "block dm-{number}"),
    ("drivers/infiniband", "{sd}", "{module} ib_srp"),
    ("drivers/pci", "{sd}", "pcieport {port}"),
    ("drivers/iommu", "{sd}", "pci {pci}"),
    ("drivers/target", "{sd}", "{module} {pci}"),
    ("fs/ubifs", "{ubi}_0", ""),
    ("fs", "{part}", ""),
    ("net/ceph", "rbd{number}", ""),
    ("block", "{sd}", "block {sd}"),
    ("mm", "{part}", ""),
];

/// The disk that the code of a file is about.
pub fn disk(path: &str) -> &'static str {
    place(path).0
}

fn place(path: &str) -> (&'static str, &'static str) {
    let found = PLACES.iter().find(|(prefix, _, _)| path.starts_with(prefix));
    found.map_or(("{sd}", "{module} {pci}"), |(_, disk, device)| (disk, device))
}

/// Parts of the argument with the device, and what is then printed first.
const ARGUMENTS: &[(&str, &[&str], &str)] = &[
    ("", &["sdev_gendev", "sdev_dev", "sdev->", "->sdev", "sdp->"], "sd {scsi}"),
    ("", &["shost_gendev", "shost_dev", "shost->"], "{host}"),
    ("", &["starget"], "{target}"),
    ("", &["disk_to_dev", "part_to_dev", "gendisk"], "block {disk}"),
    ("drivers/nvme", &["ctrl->device", "ctrl.device", "->device"], "nvme {nvme}"),
    ("drivers/nvme/host/multipath", &["dev"], "block {ns}"),
    ("drivers/scsi", &["cls_conn", "conn->dev"], " connection{number}:0"),
    ("drivers/scsi", &["cls_session", "session->dev", "sess->dev"], " session{number}"),
    ("drivers/scsi", &["rport"], " rport-{number}:0-3"),
    ("drivers/mmc", &["mmc_classdev"], "mmc_host {mmc}"),
    ("drivers/mmc", &["mmc_card", "card->dev"], "mmcblk {card}"),
];

/// What dev_printk() prints before the text, by the file and the argument with the device: `mpt3sas {pci}: `.
pub fn device(path: &str, argument: &str, module: &str) -> String {
    let fits = |place: &str, words: &[&str]| {
        path.starts_with(place) && words.iter().any(|word| argument.contains(word))
    };
    let (disk, usual) = place(path);
    let special = ARGUMENTS.iter().find(|(place, words, _)| fits(place, words));
    let is_pci = ["pdev", "pcidev", "pci_dev", "pci->"].iter().any(|word| argument.contains(word));
    let is_platform =
        ["drivers/mmc", "drivers/mtd", "drivers/ufs"].iter().any(|place| path.starts_with(place));
    let device = match special {
        Some((_, _, device)) => device,
        None if is_pci && !is_platform && !usual.contains("{p") => {
            if path.starts_with("drivers/nvme") {
                "nvme {pci}"
            } else {
                "{module} {pci}"
            }
        }
        None if usual.is_empty() => "{module} {pci}",
        None => usual,
    };
    let device = device.replace("{disk}", disk).replace("{module}", module);
    format!("{device}: ")
}

/// What sdev_prefix_printk() prints before the text.
pub fn scsi_device(path: &str, has_name: bool) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (driver, disk) = match name {
        "st.c" => ("st", "st{number}"),
        "sr.c" | "sr_ioctl.c" | "sr_vendor.c" => ("sr", "sr{number}"),
        "ses.c" => ("ses", "ses"),
        "ch.c" => ("ch", "ch{number}"),
        _ => ("sd", "{sd}"),
    };
    match has_name {
        true => format!("{driver} {{scsi}}: [{disk}] "),
        false => format!("{driver} {{scsi}}: "),
    }
}
