#!/bin/bash
#@ seconds 150
# dmmp.sh [--yes]: device-mapper multipath over two paths: one fails and returns; both fail under I/O and return.
source "$(dirname "$0")/lab/scenarios/trigger.sh"; source "$(dirname "$0")/lab/scenarios/with-multipath.sh"
cleanup() { stop_multipathd; }
trigger "It loads scsi_debug, writes its own /etc/multipath.conf (yours is put back at the end), and restarts
multipathd." \
  "scsi_debug dm_multipath" "multipathd multipath dmsetup udevadm" \
  "DM_MPATH_PATH_FAILED (Warning), DM_MPATH_ALL_PATHS_DOWN (Critical), DM_MPATH_PATH_REINSTATED (Notice)"
two_paths 64 || exit 1
fault one-down "one path offline"
offline "${path_names[0]}"; read_block "mapper/$MAP" 4; until_ok 10 active_paths 1; sleep 1
mark one-back; running "${path_names[0]}"; until_ok 10 active_paths 2; sleep 1
fault all-down "all paths offline"
offline "${path_names[@]}"; read_block "mapper/$MAP" 8; until_ok 10 active_paths 0; sleep 2
mark all-back; running "${path_names[@]}"; until_ok 10 active_paths 2; sleep 2
