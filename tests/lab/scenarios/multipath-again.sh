#!/bin/bash
#@ round short
#@ seconds 150
# All paths fail and return, three times within a minute: each time is a fault of its own.
source "$(dirname "$0")/common.sh"; source "$(dirname "$0")/with-multipath.sh"
cleanup() { stop_multipathd; }
begin
two_paths 64 || exit 1
for round in 1 2 3; do
  fault "down-$round" "all paths offline"
  offline "${path_names[@]}"; read_block "mapper/$MAP" 0; until_ok 10 active_paths 0; sleep 2
  mark "up-$round"; running "${path_names[@]}"; until_ok 10 active_paths 2; sleep 2
done
