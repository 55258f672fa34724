"""The command: ``python -m mdsurrogate``, or ``mdsurrogate`` where the package is installed."""

import signal
import sys

from . import _mdsurrogate


def main() -> None:
    """Runs the command line; its exit code is the process's."""
    # Ctrl-C is the program's to hear: Python's own handler would raise KeyboardInterrupt behind it
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_mdsurrogate.main(["mdsurrogate", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
