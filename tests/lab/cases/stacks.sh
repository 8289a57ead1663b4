#!/bin/bash
# Block devices on block devices, for the disks of `boot.sh start stacks`. Runs inside the VM.
set -euo pipefail
ip link set lo up
by() { readlink -f "/dev/disk/by-id/$1"; }
sata=$(by wwn-0x5000c50000000100)
scsi() { by "wwn-0x5000c5000000060$1"; }
virtio() { by "virtio-LAB-vblk$1"; }

# LUKS on a partition, LVM in it, ext4 on a volume mounted twice, swap on another
printf 'label: gpt\nsize=64M, name="first part"\nsize=32M\nsize=+\n' | sfdisk -q "$sata"
udevadm settle
mkfs.vfat -n "ESP" "${sata}1" > /dev/null
mkswap -q -L swap "${sata}2" && swapon "${sata}2"
printf secret | cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "${sata}3" --key-file -
printf secret | cryptsetup open "${sata}3" "luks-home" --key-file -
pvcreate -q /dev/mapper/luks-home && vgcreate -q vg-lab /dev/mapper/luks-home
lvcreate -q -y -n lv-home -L 32M vg-lab && lvcreate -q -y -n swap -L 16M vg-lab
mkfs.ext4 -q -L home /dev/vg-lab/lv-home
mkdir -p "/mnt/home" "/mnt/bind here" && mount /dev/vg-lab/lv-home /mnt/home
mkdir /mnt/home/sub && mount --bind /mnt/home/sub "/mnt/bind here"
mkswap -q /dev/vg-lab/swap && swapon /dev/vg-lab/swap

# btrfs over two disks, a subvolume mounted elsewhere
mkfs.btrfs -q -L many "$(virtio 0)" "$(virtio 1)"
mkdir -p /mnt/btrfs /mnt/subvolume && btrfs device scan > /dev/null
mount "$(virtio 0)" /mnt/btrfs && btrfs -q subvolume create /mnt/btrfs/sub
mount -o subvol=sub "$(virtio 0)" /mnt/subvolume

# A partitioned mirror
mdadm --quiet --create /dev/md/mirror --metadata=1.2 --level=1 --raid-devices=2 --run "$(scsi 0)" "$(scsi 1)"
printf 'label: gpt\nsize=16M\nsize=+\n' | sfdisk -q /dev/md/mirror
udevadm settle
mkfs.xfs -q -f /dev/md/mirror2 2> /dev/null || mkfs.ext4 -q /dev/md/mirror2

# Thin pool with a snapshot, integrity, loop with a blank in its file's name, zram, bcache, nbd
pvcreate -q "$(virtio 2)" && vgcreate -q thin "$(virtio 2)"
lvcreate -q -y -T -L 64M thin/pool && lvcreate -q -y -V 64M -T thin/pool -n volume && lvcreate -q -y -s thin/volume -n earlier
integritysetup -q format "$(scsi 2)" > /dev/null && integritysetup open "$(scsi 2)" sound
truncate -s 32M "/mnt/home/disk image" && losetup -P -f "/mnt/home/disk image"
modprobe zram && zramctl -f -s 32M > /dev/null
modprobe bcache
make-bcache -q -B "$(virtio 3)" 2> /dev/null || true
if command -v nbd-server > /dev/null; then
  truncate -s 32M /var/tmp/nbd.img && nbd-server 127.0.0.1:10809 /var/tmp/nbd.img
  modprobe nbd
  nbd-client 127.0.0.1 10809 /dev/nbd0 || true
fi
udevadm settle
sleep 2
