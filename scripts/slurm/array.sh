#!/bin/bash
#SBATCH --job-name=mdsurrogate
#SBATCH --array=0-7
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x_%a.out
# Replicas of one protein, one job each, their bits those of one run of all of them:
#   sbatch [--array=0-N] scripts/slurm/array.sh PROTEIN PREFIX [more flags of `mdsurrogate run`]
# Two minutes before its time is over a job stops in good order (exit 75), and asks to be queued
# again; it goes on from its checkpoint. A job that a node's failure ended does so too.
set -u
protein=$1 prefix=$2
shift 2
program=${MDSURROGATE:-mdsurrogate}

# the signal comes to this shell, which hands it on and waits for the end
"$program" run "$protein" -o "$prefix" --replica-index "$SLURM_ARRAY_TASK_ID" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" "$@" &
run=$!
trap 'kill -USR1 $run' USR1
trap 'kill -TERM $run' TERM
wait $run
code=$?
# a trapped signal ends the first wait, not the run
while kill -0 $run 2>/dev/null; do
  wait $run
  code=$?
done

if [ "$code" = 75 ]; then
  echo "stopped in good order; queued again"
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
