# shellcheck shell=bash
# Sourced by scenarios with NVMe over TCP: a subsystem of this kernel on a loop device, reached over loopback.
NVMET=/sys/kernel/config/nvmet; NQN=nqn.2026-01.lab:disk

# nvme_target PORT…: a subsystem of 300 MB that listens on those TCP ports of loopback.
nvme_target() {
  local port
  ip link set lo up; modprobe -a nvmet nvmet-tcp nvme-tcp
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  mkdir -p "$NVMET/subsystems/$NQN"; echo 1 > "$NVMET/subsystems/$NQN/attr_allow_any_host"
  mkdir "$NVMET/subsystems/$NQN/namespaces/1"
  loop_of nvme 300M > "$NVMET/subsystems/$NQN/namespaces/1/device_path"
  echo 1 > "$NVMET/subsystems/$NQN/namespaces/1/enable"
  for port in "$@"; do
    mkdir "$NVMET/ports/$port"
    echo tcp > "$NVMET/ports/$port/addr_trtype"; echo ipv4 > "$NVMET/ports/$port/addr_adrfam"
    echo 127.0.0.1 > "$NVMET/ports/$port/addr_traddr"; echo "$port" > "$NVMET/ports/$port/addr_trsvcid"
    open_nvme_port "$port"
  done
}
open_nvme_port() { ln -s "$NVMET/subsystems/$NQN" "$NVMET/ports/$1/subsystems/"; }
close_nvme_port() { rm "$NVMET/ports/$1/subsystems/$NQN"; }
nvme_connect() {
  local port
  for port in "$@"; do
    nvme connect -t tcp -a 127.0.0.1 -s "$port" -n "$NQN" --nr-io-queues=1 --ctrl-loss-tmo="${LOSS:-15}" --reconnect-delay=2 --keep-alive-tmo=5 --fast_io_fail_tmo=5
  done
  until_ok 20 nvme_disk; udevadm settle
}
nvme_disk() { find /sys/block -maxdepth 1 -name 'nvme*n1' ! -name 'nvme*c*' -printf '%f\n' | grep .; }
controller_of() { local path; for path in /sys/class/nvme/nvme*; do grep -q "trsvcid=$1" "$path/address" && basename "$path"; done; }
controller_is() { [ "$(cat "/sys/class/nvme/$1/state")" = "$2" ]; }

stop_nvme() {
  timeout 20 nvme disconnect-all; sleep 1
  rm -f "$NVMET"/ports/*/subsystems/*
  echo 0 > "$NVMET/subsystems/$NQN/namespaces/1/enable"; rmdir "$NVMET/subsystems/$NQN/namespaces/1" "$NVMET"/ports/* "$NVMET/subsystems/$NQN"
  remove_loops
}
