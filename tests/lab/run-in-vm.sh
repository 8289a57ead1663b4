#!/bin/bash
# Runs a command in a lab VM, prints its output and exits with its status.
#   run-in-vm.sh [-t SECONDS] COMMAND...
#   VM=name (default vm0)   LAB=directory (default /var/tmp/peripety-lab)
set -euo pipefail
LAB=${LAB:-/var/tmp/peripety-lab}; VM=${VM:-vm0}; export LAB VM
here=$(cd "$(dirname "$0")" && pwd); seconds=300
while getopts t: option; do
  case $option in t) seconds=$OPTARG ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
exec python3 "$here/labctl.py" run "$seconds" "$*"
