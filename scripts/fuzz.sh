#!/usr/bin/env bash
# Fuzzes every reader for so many seconds, from the small files of the repository.
# usage: scripts/fuzz.sh SECONDS [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: scripts/fuzz.sh SECONDS [TARGET…]}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(structure xtc dcd trr netcdf pdb_trajectory model_header \
  run_checkpoint training_checkpoint training_config)

# Files of the repository that a target starts from.
seeds() {
  case $1 in
    structure) ls tests/data/reports/*.pdb tests/data/reports/*.cif tests/data/structures/*.gz ;;
    xtc) ls tests/data/trajectories/*.xtc tests/data/reports/xtc_one_frame.xtc \
      tests/data/reports/reliability/*.xtc ;;
    dcd) ls tests/data/trajectories/*.dcd tests/data/reports/dcd_f*.dcd ;;
    trr) ls tests/data/trajectories/*.trr ;;
    netcdf) ls tests/data/trajectories/*.nc tests/data/reports/mdtraj.nc ;;
    pdb_trajectory) ls tests/data/trajectories/*.pdb tests/data/reports/two_residues.pdb ;;
    training_config) ls configs/*.toml tests/data/reports/*.toml ;;
    *) ls tests/data/fuzz/"$1"/* ;; # what was found, and what it began with
  esac
}

for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  for file in $(seeds "$target"); do
    cp "$file" "fuzz/corpus/$target/"
  done
  cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 \
    -malloc_limit_mb=1024 -timeout=20 -max_len=100000 -print_final_stats=1
done
