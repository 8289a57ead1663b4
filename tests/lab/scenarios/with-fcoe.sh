# shellcheck shell=bash
# Sourced by scenarios with Fibre Channel by software: point to point (VN2VN) over a veth pair.
FC_TARGET=/sys/kernel/config/target

fcoe_fabric() {
  modprobe -a fcoe target_core_mod target_core_file tcm_fc || return 1
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  ip link add labfc0 type veth peer name labfc1; ip link set labfc0 mtu 2500 up; ip link set labfc1 mtu 2500 up
  # The target must be ready when the initiator logs in.
  echo labfc1 > /sys/module/libfcoe/parameters/create_vn2vn || return 1
  until_ok 20 host_of labfc1 || return 1
  fc_target
  echo labfc0 > /sys/module/libfcoe/parameters/create_vn2vn || return 1
  until_ok 60 fc_disk
}
host_of() { grep -l "over $1" /sys/class/fc_host/host*/symbolic_name | cut -d / -f 5 | grep .; }
# A file of 100 MB behind the port of the second end, for the port of the first.
fc_target() {
  local store=$FC_TARGET/core/fileio_1/labfc port initiator group
  truncate -s 100M /var/tmp/lab-fc.img; mkdir -p "$store"
  echo "fd_dev_name=/var/tmp/lab-fc.img,fd_dev_size=$((100 << 20))" > "$store/control"; echo labserialfc > "$store/wwn/vpd_unit_serial"; echo 1 > "$store/enable"
  port=$(colons "$(cat "/sys/class/fc_host/$(host_of labfc1)/port_name")"); initiator=20:00:$(cat /sys/class/net/labfc0/address)
  group=$FC_TARGET/fc/$port/tpgt_1; mkdir -p "$group/lun/lun_0"; ln -s "$store" "$group/lun/lun_0/disk"
  mkdir -p "$group/acls/$initiator/lun_0"; ln -s "$group/lun/lun_0" "$group/acls/$initiator/lun_0/disk"
}
colons() { sed 's/^0x//; s/../&:/g; s/:$//' <<< "$1"; }
fc_disk() { local path; for path in /sys/block/sd*; do readlink -f "$path" | grep -q /rport- && { basename "$path"; return 0; }; done; return 1; }
rport_of() { readlink -f "/sys/block/$1" | grep -o 'rport-[0-9:-]*' | head -n 1; }
cut_fabric() { ip link set labfc1 down; }
join_fabric() { ip link set labfc1 up; }
stop_fcoe() {
  local end group
  for end in labfc0 labfc1; do echo "$end" > /sys/module/libfcoe/parameters/destroy; done
  for group in "$FC_TARGET"/fc/*/tpgt_1; do
    rm -f "$group"/acls/*/lun_0/disk; rmdir "$group"/acls/*/lun_0 "$group"/acls/*; rm -f "$group/lun/lun_0/disk"; rmdir "$group/lun/lun_0" "$group" "${group%/*}"
  done
  rmdir "$FC_TARGET/core/fileio_1/labfc"; rm -f /var/tmp/lab-fc.img; sleep 2; ip link delete labfc0
}
