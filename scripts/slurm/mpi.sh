#!/bin/bash
#SBATCH --job-name=mdsurrogate
#SBATCH --ntasks=8
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x_%j.out
# Replicas of one protein, shared by the tasks of one job (docs/clusters.md):
#   sbatch [--ntasks=N] scripts/slurm/mpi.sh run PROTEIN -o PREFIX --replicas 32 [more flags]
# or one training:
#   sbatch [--ntasks=N] scripts/slurm/mpi.sh train CONFIG [more flags]
# Two minutes before its time is over the job stops in good order (exit 75), and asks to be queued
# again; it goes on from its checkpoints. With GPUs: --gpus-per-task=1.
set -u
program=${MDSURROGATE_MPI:-mdsurrogate-mpi}
# `mpirun` where srun was built without PMIx: LAUNCH=mpirun
launch=${LAUNCH:-srun --mpi=pmix --cpus-per-task=${SLURM_CPUS_PER_TASK:-1}}
command=$1
shift

# the signal comes to this shell, which hands it on and waits for the end
$launch "$program" "$command" --threads "${SLURM_CPUS_PER_TASK:-1}" "$@" &
run=$!
if [ "${launch%% *}" = srun ]; then
  # srun itself ends by such a signal: its steps are told
  trap 'scancel --signal=USR1 "$SLURM_JOB_ID"' USR1
else
  trap 'kill -USR1 $run' USR1
fi
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
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
