"""`python -m rnncli`."""

from __future__ import annotations

from rnncli.cli.app import main

if __name__ == "__main__":
    main()
