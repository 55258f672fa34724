#!/bin/sh
# Kills runs and trainings of every kind at random moments and lets the same commands end:
# crash_campaign.sh [KILLS]
# What comes out must be, byte for byte, what comes out of commands that nothing happened to. 100
# kills take about ten minutes on two idle cores; tests/crash.rs holds the cases, and kills each
# once.
set -eu
cd "$(dirname "$0")/.."
export MDSURROGATE_KILLS=${1:-100}
exec cargo test --locked ${PROFILE---release} --test crash -- --nocapture killed_at_any_moment
