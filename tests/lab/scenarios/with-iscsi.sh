# shellcheck shell=bash
# Sourced by scenarios with iSCSI: a target of this kernel on a file, reached over loopback.
TARGET=/sys/kernel/config/target; IQN=iqn.2026-01.lab:disk

# iscsi_target SERIAL PORTAL…: a target of 100 MB with those portals (ADDRESS:PORT).
iscsi_target() {
  local serial=$1 portal group=$TARGET/iscsi/$IQN/tpgt_1 store=$TARGET/core/fileio_0/lab; shift
  ip link set lo up; mkdir -p /etc/target /etc/iscsi
  modprobe -a target_core_mod target_core_file iscsi_target_mod
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  truncate -s 100M /var/tmp/lab-iscsi.img
  mkdir -p "$store"
  echo "fd_dev_name=/var/tmp/lab-iscsi.img,fd_dev_size=$((100 << 20))" > "$store/control"
  echo "$serial" > "$store/wwn/vpd_unit_serial"; echo 1 > "$store/enable"
  mkdir -p "$group"
  for portal in "$@"; do mkdir "$group/np/$portal"; done
  mkdir "$group/lun/lun_0"; ln -s "$store" "$group/lun/lun_0/disk"
  echo 0 > "$group/attrib/authentication"; echo 1 > "$group/attrib/generate_node_acls"
  echo 0 > "$group/attrib/demo_mode_write_protect"; echo 1 > "$group/enable"
}

# iscsi_login REPLACEMENT_TIMEOUT PORTAL…: logs in with short timeouts.
iscsi_login() {
  local portal
  echo "InitiatorName=iqn.2026-01.lab:initiator" > /etc/iscsi/initiatorname.iscsi
  sed -i "s/^node.session.timeo.replacement_timeout.*/node.session.timeo.replacement_timeout = $1/
    s/^node.conn\[0\].timeo.noop_out_interval.*/node.conn[0].timeo.noop_out_interval = 2/
    s/^node.conn\[0\].timeo.noop_out_timeout.*/node.conn[0].timeo.noop_out_timeout = 2/" /etc/iscsi/iscsid.conf
  shift
  systemctl start iscsid.service
  iscsiadm -m discovery -t st -p "$1"
  for portal in "$@"; do
    iscsiadm -m node -T "$IQN" -p "$portal" -l
    until_ok 20 iscsi_link "$portal"
  done
  udevadm settle
}
iscsi_link() { ls /dev/disk/by-path/*"$1"*lun-0; }
# The disk behind a port.
iscsi_disk() { basename "$(readlink -f "$(iscsi_link "$1")")"; }

# Ports that drop what arrives: drop_port PORT…, and open_ports.
drop_port() {
  local port
  nft add table inet lab; nft add chain inet lab input '{ type filter hook input priority 0; }'
  for port in "$@"; do nft add rule inet lab input tcp dport "$port" drop; done
}
open_ports() { nft delete table inet lab; }

stop_iscsi() {
  local group=$TARGET/iscsi/$IQN/tpgt_1
  nft flush ruleset
  timeout 30 iscsiadm -m node -u; iscsiadm -m node -o delete
  systemctl stop iscsid.service iscsid.socket
  echo 0 > "$group/enable"
  rm -f "$group/lun/lun_0/disk"; rmdir "$group/lun/lun_0" "$group"/np/* "$group" "$TARGET/iscsi/$IQN" "$TARGET/core/fileio_0/lab"
  rm -f /var/tmp/lab-iscsi.img
}
