"""Whether the processor has what the compiled part of the package is built of.

Its loops are vector instructions (AVX2 and FMA) unless it was built otherwise, and a processor
without them ends the process without a word.
"""

import os
import platform
import sys

#: Set to `x86-64`, it says that this is a build for any x86-64.
LEVEL = "MDSURROGATE_LEVEL"


def require(cpuinfo: str = "/proc/cpuinfo") -> None:
    """Refuses a processor that says that it has no AVX2 or no FMA; only Linux is asked."""
    on_linux = sys.platform == "linux" and platform.machine() == "x86_64"
    if not on_linux or os.environ.get(LEVEL) == "x86-64":
        return
    try:
        with open(cpuinfo) as file:
            flags = next((line.split() for line in file if line.startswith("flags")), None)
    except OSError:
        return
    if flags is not None and not {"avx2", "fma"} <= set(flags):
        raise ImportError(
            "this build of mdsurrogate needs a processor with AVX2 and FMA (since about 2015), "
            "which this one is not\n  try: RUSTFLAGS=-Ctarget-cpu=x86-64 pip install . in python/, "
            f"then {LEVEL}=x86-64 python …, which says that it is such a build"
        )


require()
