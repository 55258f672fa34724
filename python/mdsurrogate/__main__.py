"""The command: ``python -m mdsurrogate``, or ``mdsurrogate`` where the package is installed."""

import sys

from . import _mdsurrogate


def main() -> None:
    """Runs the command line; its exit code is the process's."""
    sys.exit(_mdsurrogate.main(["mdsurrogate", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
