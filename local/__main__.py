"""`python -m local`, which `make local` runs: the deployed system on this machine, until it is ended."""

import sys

from local.up.steps import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
