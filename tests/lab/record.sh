#!/bin/bash
# Records the device tree of a running lab VM, and what lsblk and udev say at the same moment.
#   VM=name record.sh DIRECTORY [CASE]     CASE: a script in cases/ that is run before
# DIRECTORY gets tree.txt, lsblk.json, and links.txt with every link in /dev/disk and /dev/mapper and its device.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); export LAB=${LAB:-/var/tmp/peripety-lab} VM=${VM:-vm0}
share=$LAB/run/$VM/share; directory=$1; mkdir -p "$directory" "$share/out"
cp "$here/record-tree.py" "$share/"
if [ -n "${2:-}" ]; then
  cp "$here/cases/$2.sh" "$share/case.sh"
  "$here/run-in-vm.sh" -t 500 bash /lab/case.sh
fi
# shellcheck disable=SC2016  # for the VM's shell
"$here/run-in-vm.sh" 'cd /lab/out && python3 /lab/record-tree.py > tree.txt && lsblk -J -O -b -a > lsblk.json &&
  find /dev/disk /dev/mapper /dev/md /dev/*-*/ -type l 2> /dev/null | while read -r link; do
    node=$(readlink -f "$link"); echo "$link ${node##*/}"; done | sort -u > links.txt'
cp "$share/out/"{tree.txt,lsblk.json,links.txt} "$directory/"
