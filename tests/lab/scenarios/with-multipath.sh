# shellcheck shell=bash
# Sourced by scenarios with multipath: two paths to one scsi_debug disk, as hosts whose ALUA state is active.

MPATH_CONF=/etc/multipath.conf

# start_multipathd NO_PATH_RETRY
start_multipathd() {
  systemctl stop multipathd.service multipathd.socket
  if [ -e "$MPATH_CONF" ] && ! [ -e "$MPATH_CONF.before-peripety" ]; then mv "$MPATH_CONF" "$MPATH_CONF.before-peripety"; fi
  cat > "$MPATH_CONF" << CONF
defaults {
	user_friendly_names yes
	find_multipaths no
	polling_interval 2
	max_polling_interval 2
	path_checker tur
	verbosity 2
}
overrides {
	no_path_retry $1
	fast_io_fail_tmo 3
	dev_loss_tmo 7
}
blacklist {
	devnode "^(vd|loop|md|nvme)"
}
CONF
  systemctl start multipathd.service
}

# Two paths to one disk of SIZE megabytes, and multipathd. Every third host of scsi_debug is in the ALUA state
# "unavailable": its disk is deleted before. Sets MAP and the array path_names.
two_paths() {
  local name hctl
  scsi_debug "dev_size_mb=${1:-300}" add_host=3 num_tgts=1 max_luns=1 vpd_use_hostno=0
  for name in $(scsi_debug_disks); do
    hctl=$(hctl_of "$name")
    if [ $((${hctl%%:*} % 3)) = 2 ]; then echo 1 > "/sys/block/$name/device/delete"; fi
  done
  start_multipathd fail
  until_ok 60 map_with 2 || return 1
  udevadm settle
  MAP=$(multipathd show maps raw format "%n" | awk 'NR == 1 {print $1}')
  mapfile -t path_names < <(scsi_debug_disks)
  disk disk "${path_names[0]}"
  var path0 "${path_names[0]}"; var path1 "${path_names[1]}"
  local node; node=$(basename "$(readlink -f "/dev/mapper/$MAP")")
  var map "$(cat "/sys/block/$node/dm/uuid")"; var map.path "/dev/mapper/$MAP"; var map.name "$node"
}
map_with() { multipathd show maps raw format '%n %N' 2> /dev/null | grep -q " $1"; }
# active_paths N: whether multipathd counts N active paths.
active_paths() { multipathd show maps raw format '%n %x %N' 2> /dev/null | grep -q . && [ "$(multipathd show paths raw format '%d %t' | grep -c ' active')" = "$1" ]; }

stop_multipathd() {
  systemctl stop multipathd.service multipathd.socket
  multipath -f "$MAP" || dmsetup remove -f "$MAP"
  remove_scsi_debug
  rm -f "$MPATH_CONF"
  if [ -e "$MPATH_CONF.before-peripety" ]; then mv "$MPATH_CONF.before-peripety" "$MPATH_CONF"; systemctl start multipathd.service; fi
}
