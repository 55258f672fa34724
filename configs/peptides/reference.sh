#!/bin/sh
# Reference MD of the peptides of a list, one after the other: reference.sh LIST TIME FOLDER
# The shipped model was trained on `reference.sh configs/peptides/train.txt 1ns data/reference/peptides`.
# Several may work on one list at a time; what is done is skipped, what was interrupted goes on.
set -e
cargo build --release --example extended_peptide
program=target/release
mkdir -p "$3/start"
while read -r sequence; do
  prefix="$3/$sequence"
  # the kernel lets go of it where a call dies (PREFIX.lock is the program's own)
  exec 9>"$prefix.maker"
  flock -n 9 || continue
  start="$3/start/$sequence.pdb"
  [ -e "$start" ] || $program/examples/extended_peptide "$sequence" "$start"
  # a seed of its own for every peptide
  seed=$(printf '%d' "0x$(printf '%s\n' "$sequence" | md5sum | cut -c1-6)")
  [ -e "$prefix.done" ] || $program/mdsurrogate reference "$start" --time "$2" --temp 300K --dt 4fs --hold-hydrogens \
    --heat 50ps --threads 1 --seed "$seed" -o "$prefix" -q </dev/null && touch "$prefix.done"
  exec 9>&-
done < "$1"
