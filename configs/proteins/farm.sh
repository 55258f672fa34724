#!/bin/sh
# Reference MD of the small proteins, at the lowest priority: farm.sh [FOLDER] [PLAN] [PROGRAM]
# A bond stretched beyond the guard by heat, once in some nanoseconds, takes a run back to its last
# checkpoint, 20 ps at most.
# Goes through the plan from its start: what is done is skipped, what was interrupted goes on from its checkpoint, and what fails
# is named in FOLDER/failed.txt and left. Several farms may work on one folder, one protein each. Ends when the plan is done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
plan=$(realpath "${2:-$here/plan.txt}")
program=$(realpath "${3:-target/release/mdsurrogate}")
mkdir -p "${1:-data/reference/small}"
# from within, by names alone: what is typed stands in the files, and is to say nothing of the machine
cd "${1:-data/reference/small}"
ln -sfn "$(realpath "$here/../../data/structures/small")" structures
PATH=$(dirname "$program"):$PATH
program=$(basename "$program")

# A seed of its own for every protein, the same wherever and whenever it is made.
seed_of() { printf '%d' "0x$(printf '%s' "$1" | md5sum | cut -c1-6)"; }

grep -v '^#' "$plan" | while read -r name time every; do
  # stretch by stretch: the name of the mark holds the time that was reached
  [ -e "$name.$time.done" ] && continue
  # the kernel lets go of the lock where a farm dies
  exec 9>"$name.farm"
  flock -n 9 || continue
  if nice -n 19 "$program" reference "structures/$name.pdb.gz" --fix --temp 300K --dt 4fs --hold-hydrogens --heat 50ps \
    --time "$time" --traj-every "$every" --checkpoint-every 20ps --threads 1 --guard rollback --max-rollbacks 100 --seed "$(seed_of "$name")" --overwrite \
    -o "$name" -q </dev/null; then
    touch "$name.$time.done"
  else
    code=$?
    # interrupted: it goes on with the next call
    [ "$code" = 75 ] && exit 75
    echo "$name $time: exit code $code" | tee -a failed.txt >&2
  fi
  exec 9>&-
done
