#!/bin/sh
# What comes out of the program, as hashes, one line each:
# fingerprint.sh [PROGRAM] > tests/data/fingerprint.txt
# A change of the code that is not meant to change any result must leave all of them as they are
# (tests/fingerprint.rs holds it to that); one that is meant to says in its commit which lines
# changed and why. The bits are those of one kind of machine: the first line names what they depend
# on.
set -eu
program=$(realpath "${1:-target/release/mdsurrogate}")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
data=$root/tests/data
structures=$root/data/structures

print() { printf '%-34s %s\n' "$1" "$2"; }
# the hash of a file
file() { print "$1" "$(sha256sum <"$2" | cut -c1-32)"; }
# runs the program without a word
quiet() { "$program" "$@" >log 2>&1 || { cat log >&2; exit 1; }; }
# mathematics that the compiler leaves to the system
libm=$(ldd --version 2>&1 | head -n 1 | grep -o '[0-9.]*$')
print "machine" "$(uname -m), libm $libm"

# trajectories: jumps with and without their corrector, whatever the defaults of the day are
for protein in akle trpcage; do
  # the peptide as it is in its file, the protein equilibrated first
  case $protein in akle) equilibrate=0ps ;; *) equilibrate=2ps ;; esac
  for relax in 0 60; do
    case $relax in 0) method=heun ;; *) method=euler ;; esac
    quiet run "$structures/$protein.pdb" --steps 3 --replicas 2 --relax "$relax" \
      --lag 20ps --method $method --stir 0 --fold-strength 1 --equilibrate $equilibrate --seed 5 \
      --backend cpu -o "$protein$relax"
    file "run $protein, relax $relax" "${protein}${relax}_r1.xtc"
  done
done
quiet reference "$structures/trpcage.pdb" --time 200fs --heat 100fs --traj-every 20fs --seed 5 \
  -o ref
file "reference trpcage" ref.xtc

# training: 50 updates of jumps, 50 of forces, and a run of those forces
training() {
  cat <<END
[data]
folder = "$data/compare"
temperature = "300K"
[[data.systems]]
topology = "$structures/akle.pdb"
trajectories = ["akle_a.xtc"]
[$1]
$2
[model]
scalars = 16
vectors = 8
pair = 8
layers = 2
[training]
seed = 2
updates = 50
batch = 4
validation_samples = 8
validate_every = 25
END
}
training jump 'lag = "50ps"' >jump.toml
training force 'form = "direct"' >force.toml
for task in jump force; do
  quiet train "$task.toml" -o "$task"
  # losses, without the clock
  cut -d, -f1,4- "$task.train.csv" >losses.csv
  file "train $task, losses" losses.csv
  # weights: behind the header, which names the version
  tail -c 20000 "$task.safetensors" >weights
  file "train $task, weights" weights
done
quiet run "$structures/akle.pdb" -m force.safetensors --ensemble langevin --dt 1fs --steps 50 \
  --traj-every 10 --seed 5 --backend cpu -o forces
file "run akle, forces" forces.xtc

"$program" energy "$structures/1ubi.pdb.gz" --json --forces forces.csv >energy.json 2>log
file "energy ubiquitin" energy.json
file "energy ubiquitin, forces" forces.csv
quiet compare "$data/compare/akle_b.xtc" --top "$structures/akle.pdb" \
  --reference "$data/compare/akle_a.xtc" --reference-top "$structures/akle.pdb" -o page
cat page/metrics.csv >metrics.csv 2>/dev/null || cat page*metrics.csv >metrics.csv
file "compare akle" metrics.csv
