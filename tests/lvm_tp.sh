#!/bin/bash
#@ seconds 170
# lvm_tp.sh [--yes]: an LVM thin pool whose space for data runs out under XFS.
source "$(dirname "$0")/lab/scenarios/trigger.sh"
cleanup() {
  umount -l /mnt/peripety-thin
  dmsetup remove -f peripety_tp-{volume,pool,pool-tpool,pool_tdata,pool_tmeta}
  remove_loops; rmdir /mnt/peripety-thin
}
trigger "It makes a loop device of 500 MB on a file in /var/tmp, the volume group peripety_tp with a thin pool on it, and mounts a
volume on /mnt/peripety-thin." \
  "dm_thin_pool xfs" "lvcreate losetup mkfs.xfs dmsetup" \
  "DM_THIN_LOW_WATER_MARK (Warning), DM_THIN_OUT_OF_DATA_SPACE (Critical), FS_IO_ERROR"
mkdir -p /mnt/peripety-thin; loop=$(loop_of thin 500M)
pvcreate -q "$loop"; vgcreate -q peripety_tp "$loop"
lvcreate -q -y --type thin-pool -L 128M --monitor n -n pool peripety_tp; lvchange -q -y --errorwhenfull y peripety_tp/pool
lvcreate -q -y -V 400M -T peripety_tp/pool -n volume; mkfs.xfs -q -f /dev/peripety_tp/volume
mount /dev/peripety_tp/volume /mnt/peripety-thin; udevadm settle; fs fs /mnt/peripety-thin
pool=$(basename "$(readlink -f /dev/mapper/peripety_tp-pool-tpool)"); var pool "$(cat "/sys/block/$pool/dm/uuid")"
fault full "the pool runs full"
dd if=/dev/zero of=/mnt/peripety-thin/f bs=1M count=200 status=none; sync -f /mnt/peripety-thin; touch /mnt/peripety-thin/x; sync -f /mnt/peripety-thin
await 15 'out-of-data-space'; sleep 4
