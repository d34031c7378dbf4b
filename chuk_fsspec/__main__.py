"""``python -m chuk_fsspec``: the command line."""

import sys

from chuk_fsspec.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
