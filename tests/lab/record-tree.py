#!/usr/bin/env python3
"""Records the block devices of this machine as seen in sysfs, udev and the mount table.

usage: record-tree.py [--ask-devices] > tree.txt        (as root, or some attributes are missing)

The output is a tree in the text format of peripety_blkinfo::Recorded, sorted as that type writes it. No device node is
opened and no attribute is read for which the kernel would send a command to a device. With --ask-devices the few
attributes are read as well for which it does so (`serial` of virtio disks).
"""

import argparse
import os
import re
import stat
import sys

LARGEST = 4096
BINARY = {"vpd_pg80", "vpd_pg83"}

# --- attributes of a block device: all but these ---
BLOCK_NOT = {
    "stat", "inflight", "make-it-fail", "io-timeout-fail", "events", "events_async", "events_poll_msecs",
    "capability", "badblocks", "discard_alignment", "alignment_offset", "passthru_err_log_enabled", "debug_stat",
}
BLOCK_NOT_LIKE = re.compile(r".*_stat$")
# Reading these sends a command to the device: Identify Namespace, and VIRTIO_BLK_T_GET_ID for a virtio disk.
BLOCK_ASKS = {"nuse"}
VIRTIO_ASKS = {"serial"}
QUEUE = {"rotational", "logical_block_size", "physical_block_size", "zoned", "discard_max_bytes"}
DM = {"name", "uuid", "suspended", "use_blk_mq"}
MD = {"array_state", "array_size", "chunk_size", "component_size", "degraded", "layout", "level", "metadata_version",
      "raid_disks", "uuid", "sync_action", "state", "slot", "offset", "size"}
BCACHE = {"backing_dev_name", "backing_dev_uuid", "cache_mode", "dirty_data", "label", "running", "state",
          "block_size", "bucket_size", "nbuckets"}

# --- attributes of the directories above a block device, and of the classes' directories ---
HARDWARE = set("""
    vendor model rev wwid serial type state queue_depth access_state preferred_path dh_state sas_address
    sas_device_handle
    idVendor idProduct bcdDevice speed manufacturer product busnum devpath bInterfaceClass bInterfaceSubClass
    bInterfaceProtocol bInterfaceNumber interface
    device subsystem_vendor subsystem_device class revision label acpi_index modalias
    address subsysnqn subsystype transport cntlid cntrltype hostnqn hostid firmware_rev iopolicy uuid nguid eui nsid
    cid csd date fwrev hwrev manfid name oemid prv rca ocr scr
    unique_id devtype mode mapping0 mappings nstype holder_class sector_size size set_cookie alt_name
    backing_file hidden dev cluster_fsid pool pool_id image_id current_snap client_addr devspec uid
    emulation_pages queue_type scsi_level slot tpgt
""".split())
NVME = set("""
    address cntlid cntrltype ctrl_loss_tmo dctype dev fast_io_fail_tmo firmware_rev hostid hostnqn iopolicy kato model
    nqn numa_node reconnect_delay serial state subsysnqn subsystype transport
""".split())
SCSI_HOST = set("""
    active_mode board_assembly board_name board_tracer fw_version fwrev host_sas_address model_name modelname portnum
    proc_name prot_capabilities serial_number serialnum state supported_mode unique_id version_bios version_fw
    version_product
""".split())
CLASSES = {
    "scsi_host": SCSI_HOST,
    "scsi_disk": {"FUA", "cache_type", "provisioning_mode", "protection_type", "thin_provisioning", "zoned_cap"},
    "scsi_device": set(),
    "scsi_generic": {"dev"},
    "fc_host": set("""fabric_name max_npiv_vports node_name port_id port_name port_state port_type speed
        supported_classes supported_speeds symbolic_name system_hostname tgtid_bind_type""".split()),
    "fc_remote_ports": set("""dev_loss_tmo fast_io_fail_tmo maxframe_size node_name port_id port_name port_state roles
        scsi_target_id supported_classes""".split()),
    "fc_transport": {"node_name", "port_id", "port_name"},
    "fc_vports": {"node_name", "port_name", "vport_state", "vport_type", "symbolic_name", "roles"},
    "fcoe": {"enabled", "mode"},
    "sas_host": set(),
    "sas_device": set("""bay_identifier device_type enclosure_identifier initiator_port_protocols phy_identifier
        sas_address scsi_target_id target_port_protocols""".split()),
    "sas_end_device": {"I_T_nexus_loss_timeout", "initiator_response_timeout", "ready_led_meaning", "tlr_enabled",
                       "tlr_supported"},
    "sas_expander": {"component_id", "component_revision_id", "component_vendor_id", "level", "product_id",
                     "product_rev", "vendor_id"},
    "sas_phy": set("""device_type enable initiator_port_protocols maximum_linkrate maximum_linkrate_hw
        minimum_linkrate minimum_linkrate_hw negotiated_linkrate phy_identifier sas_address
        target_port_protocols""".split()),
    "sas_port": {"num_phys"},
    "spi_host": {"signalling"},
    "spi_transport": {"offset", "period", "width"},
    "enclosure": {"components", "id"},
    "iscsi_host": {"hwaddress", "initiatorname", "ipaddress", "netdev", "port_speed", "port_state"},
    "iscsi_session": set("""creator ifacename initiatorname recovery_tmo state target_id target_state targetname
        tpgt""".split()),
    "iscsi_connection": {"address", "local_ipaddr", "local_port", "persistent_address", "persistent_port", "port",
                         "state"},
    "ata_port": {"nr_pmp_links", "port_no"},
    "ata_link": {"hw_sata_spd_limit", "sata_spd", "sata_spd_limit"},
    "ata_device": {"class", "dma_mode", "id", "pio_mode", "spdn_cnt", "trim", "xfer_mode"},
    "nvme": NVME,
    "nvme-subsystem": NVME,
    "nvme-generic": {"dev"},
    "mmc_host": set(),
    "bcache": set(),
    "nd": {"dev"},
}
CLASS_LINKS = {"device", "subsystem", "driver"}
ND = set("""
    alt_name devtype force_raw holder_class mode namespace nstype provider sector_size size set_cookie type uuid
    mappings mapping0 modalias state resource
""".split())
NFIT = {"device", "family", "format", "handle", "id", "phys_id", "rev_id", "serial", "vendor"}


def control(char):
    return char < " " or "\x7f" <= char <= "\x9f"


def escape(raw, all_blanks):
    """As peripety_blkinfo::Recorded: backslashes, control characters, what is no UTF-8, and blanks."""
    body = raw if all_blanks or not raw.endswith(b" ") else raw[:-1]
    parts = []
    for char in body.decode("utf-8", "surrogateescape"):
        if char == "\\":
            parts.append("\\\\")
        elif control(char) or (all_blanks and char == " ") or "\udc80" <= char <= "\udcff":
            parts += [f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape")]
        else:
            parts.append(char)
    return "".join(parts) + ("\\x20" if len(body) < len(raw) else "")


class Tree:
    """The nodes by path, and the reading of them from this machine."""

    def __init__(self, ask_devices):
        self.ask_devices = ask_devices
        self.nodes = {}

    # Nodes: ("f", content), ("l", target), ("d",)
    def file(self, path, largest=LARGEST):
        """Records a regular file that can be read and is not too large."""
        try:
            about = os.lstat(path)
            if not stat.S_ISREG(about.st_mode) or not about.st_mode & 0o444:
                return
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        content = b""
        try:
            while len(content) <= largest:
                more = os.read(handle, 65536)
                if not more:
                    break
                content += more
        except OSError:
            return
        finally:
            os.close(handle)
        name = os.path.basename(path)
        if len(content) <= largest and (name in BINARY or b"\0" not in content or path.startswith("/proc")):
            self.nodes[path] = ("f", content)

    def link(self, path):
        """Records a symbolic link."""
        try:
            self.nodes[path] = ("l", os.readlink(path))
        except OSError:
            return None
        return os.path.realpath(path)

    def directory(self, path):
        self.nodes.setdefault(path, ("d",))

    def attributes(self, directory, wanted):
        """Records those attributes of a directory for whose name `wanted` is true."""
        for entry in entries(directory):
            if wanted(entry) and not os.path.islink(f"{directory}/{entry}"):
                self.file(f"{directory}/{entry}")

    def bound(self, directory):
        """The links to driver and subsystem, and the directories where they lead."""
        for name in ("driver", "subsystem"):
            if os.path.islink(f"{directory}/{name}"):
                self.directory(self.link(f"{directory}/{name}"))

    def links(self, directory, wanted):
        """Records those links in a directory for whose name `wanted` is true. The list of them."""
        found = [entry for entry in entries(directory) if wanted(entry) and os.path.islink(f"{directory}/{entry}")]
        for entry in found:
            self.link(f"{directory}/{entry}")
        return found

    def text(self, directories_of=None):
        """The whole tree in the text format. A directory is named when nothing is below it, here or in `directories_of`."""
        above = {parent for path in directories_of or self.nodes for parent in parents(path)}
        lines = ["# peripety device tree 1"]
        for path in sorted(self.nodes, key=lambda path: [os.fsencode(part) for part in path.split("/")]):
            node, name = self.nodes[path], escape(os.fsencode(path), True)
            if node[0] == "d":
                lines += [f"{name}/"] if path not in above else []
            elif path in above:
                raise SystemExit(f"{path} is a file or link and a directory")
            elif node[0] == "l":
                lines.append(f"{name} -> {escape(os.fsencode(node[1]), True)}")
            else:
                lines.append(f"{name} ={content_text(node[1])}")
        return "\n".join(lines) + "\n"


def content_text(content):
    """One line stands behind the `=`, unless it is blank; several stand below, each after a TAB."""
    lines = content.split(b"\n")
    ends = lines.pop()
    lines = [escape(line, False) for line in lines] + ([escape(ends, False) + "\\c"] if ends else [])
    if len(lines) == 1 and content != b"\n":
        return f" {lines[0]}"
    return "".join(f"\n\t{line}" for line in lines)


def entries(directory):
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def parents(path):
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        yield path


def add_block(tree, name):
    """A disk or partition: its directory, the hardware above, and the links that lead to it."""
    path = tree.link(f"/sys/class/block/{name}")
    if path is None or not path.startswith("/sys/devices/"):
        return
    asks = BLOCK_ASKS | (VIRTIO_ASKS if re.fullmatch(r".*/virtio\d+/block/[^/]+", path) else set())

    def wanted(attribute):
        if attribute in asks:
            return tree.ask_devices and attribute in VIRTIO_ASKS
        return attribute not in BLOCK_NOT and not BLOCK_NOT_LIKE.fullmatch(attribute)
    tree.attributes(path, wanted)
    for directory, known in (("queue", QUEUE), ("dm", DM), ("md", MD)):
        tree.attributes(f"{path}/{directory}", known.__contains__)
    tree.attributes(f"{path}/loop", lambda attribute: True)
    for directory in ("slaves", "holders", "multipath"):
        if os.path.isdir(f"{path}/{directory}"):
            tree.directory(f"{path}/{directory}")
            tree.links(f"{path}/{directory}", lambda entry: True)
    for member in [entry for entry in entries(f"{path}/md") if re.match(r"(dev-|rd\d+$)", entry)]:
        if not tree.link(f"{path}/md/{member}"):
            tree.attributes(f"{path}/md/{member}", MD.__contains__)
            tree.links(f"{path}/md/{member}", {"block"}.__contains__)
    add_bcache(tree, f"{path}/bcache")
    tree.bound(path)
    if os.path.islink(f"{path}/device"):
        tree.link(f"{path}/device")
    tree.links(path, lambda entry: entry in ("bcache", "dax", "lower") or re.match(r"nvme\d", entry))
    for above in parents(path):
        if above == "/sys/devices" or not os.path.exists(f"{above}/uevent"):
            if above == "/sys/devices":
                break
            continue
        add_hardware(tree, above)
    if os.path.islink(f"/sys/block/{name}"):
        tree.link(f"/sys/block/{name}")


def add_bcache(tree, directory):
    """The part of bcache in a backing or cache device."""
    if not os.path.isdir(directory) or os.path.islink(directory):
        return
    tree.directory(directory)
    tree.attributes(directory, BCACHE.__contains__)
    tree.links(directory, {"dev", "cache", "set"}.__contains__)


def add_hardware(tree, directory):
    """A device above a block device: what identifies it, its driver, the buses that list it."""
    if f"{directory}/ " in tree.nodes or re.search(r"/(block|virtual|nvme|nvme-subsystem)$", directory):
        return
    if "block" == os.path.basename(os.path.realpath(f"{directory}/subsystem")):
        return  # the disk of a partition has its own turn
    subsystem = os.path.basename(os.path.realpath(f"{directory}/subsystem"))
    wanted = NVME if subsystem in ("nvme", "nvme-subsystem") else HARDWARE
    tree.attributes(directory, lambda attribute: attribute in wanted or attribute in BINARY)
    tree.bound(directory)
    tree.links(directory, lambda entry: entry == "generic" or re.match(r"(enclosure_device:|phy-|nvme\d)", entry))
    name = os.path.basename(directory)
    if subsystem in ("pci", "scsi", "nd", "mmc", "usb", "virtio") and os.path.islink(f"/sys/bus/{subsystem}/devices/{name}"):
        tree.link(f"/sys/bus/{subsystem}/devices/{name}")


def add_classes(tree):
    for kind, wanted in CLASSES.items():
        for name in entries(f"/sys/class/{kind}"):
            path = tree.link(f"/sys/class/{kind}/{name}")
            if path is None or not path.startswith("/sys/devices/"):
                continue
            tree.directory(path)
            tree.attributes(path, wanted.__contains__)
            tree.links(path, CLASS_LINKS.__contains__)
            if kind in ("nvme", "nvme-subsystem"):
                tree.links(path, lambda entry: re.match(r"nvme\d", entry))
            if kind == "sas_port" or kind == "sas_phy":
                tree.links(os.path.realpath(f"{path}/device"), lambda entry: entry.startswith("phy-"))
            if kind == "enclosure":
                for slot in entries(path):
                    if os.path.exists(f"{path}/{slot}/slot"):
                        tree.attributes(f"{path}/{slot}", {"slot", "type"}.__contains__)
                        tree.links(f"{path}/{slot}", {"device"}.__contains__)
            number = content_of(tree, f"{path}/dev")
            if number and kind in ("nvme", "nvme-generic", "scsi_generic"):
                tree.link(f"/sys/dev/char/{number}")
                if kind != "scsi_generic":
                    tree.file(f"/run/udev/data/c{number}", 65536)


def content_of(tree, path):
    node = tree.nodes.get(path)
    return node[1].decode().strip() if node and node[0] == "f" else None


def add_buses(tree):
    for name in entries("/sys/bus/scsi/devices"):
        path = tree.link(f"/sys/bus/scsi/devices/{name}")
        if path:
            tree.directory(path)
            if re.fullmatch(r"\d+:\d+:\d+:\d+", name):
                add_hardware(tree, path)
    for name in entries("/sys/bus/nd/devices"):
        path = tree.link(f"/sys/bus/nd/devices/{name}")
        if path:
            tree.directory(path)
            tree.attributes(path, ND.__contains__)
            tree.attributes(f"{path}/nfit", NFIT.__contains__)
            tree.bound(path)
    for name in entries("/sys/dev/block"):
        tree.link(f"/sys/dev/block/{name}")


def add_file_systems(tree):
    for name in entries("/sys/fs/btrfs"):
        directory = f"/sys/fs/btrfs/{name}"
        if os.path.isdir(f"{directory}/devices"):
            tree.attributes(directory, {"label", "metadata_uuid", "nodesize", "sectorsize", "generation"}.__contains__)
            tree.links(f"{directory}/devices", lambda entry: True)
            for number in entries(f"{directory}/devinfo"):
                tree.attributes(f"{directory}/devinfo/{number}", lambda attribute: attribute != "error_stats")
    for name in entries("/sys/fs/bcache"):
        directory = f"/sys/fs/bcache/{name}"
        if os.path.isdir(directory):
            tree.directory(directory)
            tree.links(directory, lambda entry: re.match(r"(bdev|cache)\d", entry))
            tree.attributes(directory, {"block_size", "bucket_size", "average_key_size"}.__contains__)


def add_dev(tree):
    """Block nodes as empty files that are never opened, the links to them, and every link in udev's directories."""
    for directory, directories, files in os.walk("/dev"):
        for name in directories + files:
            path = f"{directory}/{name}"
            try:
                about = os.lstat(path)
                if stat.S_ISBLK(about.st_mode):
                    tree.nodes[path] = ("f", b"")
                elif stat.S_ISLNK(about.st_mode):
                    udev = path.startswith(("/dev/disk/", "/dev/mapper/", "/dev/md/"))
                    if udev or stat.S_ISBLK(os.stat(path).st_mode):
                        tree.link(path)
            except OSError:
                continue


def add_everything(tree):
    """The whole machine."""
    for name in entries("/sys/class/block"):
        add_block(tree, name)
    add_classes(tree)
    add_buses(tree)
    add_file_systems(tree)
    add_dev(tree)
    for name in entries("/run/udev/data"):
        if name.startswith("b"):
            tree.file(f"/run/udev/data/{name}", 65536)
    for path in ("/proc/self/mountinfo", "/proc/swaps", "/proc/sys/kernel/random/boot_id"):
        tree.file(path, 1 << 20)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ask-devices", action="store_true",
                        help="read attributes as well for which the kernel sends a command to the device")
    tree = Tree(parser.parse_args().ask_devices)
    add_everything(tree)
    sys.stdout.buffer.write(tree.text().encode())


if __name__ == "__main__":
    main()
