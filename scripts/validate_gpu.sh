#!/usr/bin/env bash
# The GPU engine under Vulkan's validation layers, synchronisation validation on: VkFFT's transforms
# (molecules of few tokens do without), chains of joined calls (which software devices do
# without), a training, 100 steps of a run, jumps with their corrector, and MD. The layers must
# have nothing to say about them. That they are there, and that what they say arrives, is shown
# first: they note that they are active, and best practices, switched on for once, find fault.
#
# usage: validate_gpu.sh MDSURROGATE    (from the repository's root; `make validate-gpu`)
set -euo pipefail
binary=$(realpath "$1")
root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR=$work
CARGO=${CARGO:-cargo}

SYNCHRONISATION=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
SYNCHRONISATION+=,VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT

# Runs a command under the layers with more of their checks; its words go to $work/NAME.log, theirs
# to $work/NAME.layer.
watched() {
  local name=$1 enables=$2
  shift 2
  # a file: what the layers say on the standard output is lost
  printf '%s\n' >"$work/$name.txt" \
    "khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG" \
    "khronos_validation.report_flags = error,warn,perf,info" \
    "khronos_validation.log_filename = $work/$name.layer" \
    "khronos_validation.enables = $enables"
  if ! VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation VK_LAYER_SETTINGS_PATH="$work/$name.txt" \
    "$@" >"$work/$name.log" 2>&1; then
    cat "$work/$name.log"
    echo "$name: failed under the validation layers: $*"
    exit 1
  fi
  if ! grep -q 'Current Enables:.*SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT' "$work/$name.layer"; then
    echo "$name: the validation layers were not active: is the Debian package" \
      "vulkan-validationlayers there?"
    exit 1
  fi
}

# What the layers said of a command, beside that they are there and have no cache yet.
messages() {
  grep -E '^[A-Za-z]+-.*msgNum' "$work/$1.layer" \
    | grep -v -e createinstance-status-message -e cache-file-error || true
}

silent() {
  local said
  said=$(messages "$1")
  if [ -n "$said" ]; then
    echo "$said" | cut -c1-2000
    echo "$1: the validation layers object"
    exit 1
  fi
  echo "$1: silent"
}

cp "$root/data/structures/akle.pdb" "$root/tests/data/compare/akle_a.xtc" "$work"
cat >"$work/train.toml" <<'CONFIG'
[data]
[[data.systems]]
topology = "akle.pdb"
trajectories = ["akle_a.xtc"]
[jump]
lag = "50ps"
[model]
scalars = 16
vectors = 8
pair = 8
layers = 1
[training]
updates = 3
batch = 4
validation_samples = 4
CONFIG

watched probe "$SYNCHRONISATION,VK_VALIDATION_FEATURE_ENABLE_BEST_PRACTICES_EXT" \
  "$binary" run --list-devices
[ -n "$(messages probe)" ] || { echo "probe: what the layers say does not arrive"; exit 1; }
echo "probe: the layers are active and heard"

watched train "$SYNCHRONISATION" "$binary" train "$work/train.toml" --backend gpu -o "$work/model"
silent train
watched run "$SYNCHRONISATION" "$binary" run "$work/akle.pdb" --backend gpu --steps 100 --relax 0 \
  --levels 3 --method euler --guard warn -o "$work/rollout"
silent run
watched jumps "$SYNCHRONISATION" "$binary" run "$work/akle.pdb" --backend gpu --steps 3 --as-is \
  --levels 3 --method euler --replicas 2 -o "$work/jumps"
silent jumps
watched dynamics "$SYNCHRONISATION" "$binary" reference "$work/akle.pdb" --backend gpu --time 1ps \
  --dt 4fs --hold-hydrogens --heat 0.2ps --traj-every 0.5ps -o "$work/dynamics"
silent dynamics

# A test of tests/parity.rs under the layers, by the name of its kernels.
tested() {
  watched "$1" "$SYNCHRONISATION" env MDSURROGATE_REQUIRE_GPU=1 \
    "$CARGO" test --release --locked --test parity "$2" -- --exact
  grep -q '1 passed' "$work/$1.log" || { echo "$1: the test $2 is not there"; exit 1; }
  silent "$1"
}
tested transforms vkfft_agrees_with_f64
tested chains chains_of_every_tile_agree
