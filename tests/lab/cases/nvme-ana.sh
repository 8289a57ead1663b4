#!/bin/bash
# NVMe over TCP and loop to a target of the same kernel, with ANA: an optimized, a non-optimized and an inaccessible
# path to one namespace. Runs inside the VM.
set -euo pipefail
modprobe -a nvmet nvmet-tcp nvme-loop nvme-tcp
target=/sys/kernel/config/nvmet; nqn=nqn.2026-11.org.example:ana
truncate -s 64M /var/tmp/ana.img
subsystem=$target/subsystems/$nqn; mkdir "$subsystem"
echo 1 > "$subsystem/attr_allow_any_host"
echo LABANA0 > "$subsystem/attr_serial"
mkdir "$subsystem/namespaces/1"
losetup -f --show /var/tmp/ana.img > "$subsystem/namespaces/1/device_path"
echo 2 > "$subsystem/namespaces/1/ana_grpid"
echo 1 > "$subsystem/namespaces/1/enable"
number=0
while read -r kind address state; do
  number=$((number + 1)); port=$target/ports/$number
  mkdir "$port" "$port/ana_groups/2"
  echo "$kind" > "$port/addr_trtype"
  if [ "$kind" = tcp ]; then
    echo "$address" > "$port/addr_traddr"; echo 4420 > "$port/addr_trsvcid"; echo ipv4 > "$port/addr_adrfam"
  fi
  echo "$state" > "$port/ana_groups/2/ana_state"
  ln -s "$subsystem" "$port/subsystems/"
done <<< "tcp 127.0.0.1 optimized
tcp 127.0.0.2 non-optimized
loop - inaccessible"
ip link set lo up
nvme connect -t tcp -a 127.0.0.1 -s 4420 -n "$nqn"
nvme connect -t tcp -a 127.0.0.2 -s 4420 -n "$nqn"
nvme connect -t loop -n "$nqn"
sleep 5
