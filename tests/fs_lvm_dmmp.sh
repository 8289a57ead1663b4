#!/bin/bash
#@ seconds 180
# fs_lvm_dmmp.sh [--yes]: ext4 on LVM on multipath: one path fails and returns, then both fail under write.
source "$(dirname "$0")/lab/scenarios/trigger.sh"; source "$(dirname "$0")/lab/scenarios/with-multipath.sh"
cleanup() { umount -l /mnt/peripety-lvm; dmsetup remove -f peripety-data; stop_multipathd; rmdir /mnt/peripety-lvm; }
trigger "It loads scsi_debug, writes its own /etc/multipath.conf (yours is put back at the end), restarts multipathd, makes
the volume group peripety and mounts a volume on /mnt/peripety-lvm." \
  "scsi_debug dm_multipath ext4" "multipathd multipath dmsetup pvcreate mkfs.ext4" \
  "DM_MPATH_PATH_FAILED (Warning), DM_MPATH_ALL_PATHS_DOWN, FS_JOURNAL_ABORTED, FS_REMOUNT_READ_ONLY (Critical)"
two_paths 300 || exit 1
mkdir -p /mnt/peripety-lvm
pvcreate -q "/dev/mapper/$MAP"; vgcreate -q peripety "/dev/mapper/$MAP"; lvcreate -q -y -n data -l 50%FREE peripety
mkfs.ext4 -q /dev/peripety/data; mount /dev/peripety/data /mnt/peripety-lvm; udevadm settle
volume=$(basename "$(readlink -f /dev/peripety/data)"); var volume "$(cat "/sys/block/$volume/dm/uuid")"; fs fs /mnt/peripety-lvm
fault one-down "one path offline under write"
offline "${path_names[0]}"; dd if=/dev/urandom of=/mnt/peripety-lvm/f bs=64k count=20 conv=fsync status=none; until_ok 10 active_paths 1; sleep 1
mark one-back; running "${path_names[0]}"; until_ok 10 active_paths 2; sleep 1
fault all-down "all paths offline under write"
offline "${path_names[@]}"; dd if=/dev/urandom of=/mnt/peripety-lvm/g bs=64k count=20 conv=fsync status=none; touch /mnt/peripety-lvm/x; sync -f /mnt/peripety-lvm
until_ok 10 active_paths 0; sleep 2
mark all-back; running "${path_names[@]}"; until_ok 10 active_paths 2; sleep 1
mark unmount; umount /mnt/peripety-lvm; sleep 1
