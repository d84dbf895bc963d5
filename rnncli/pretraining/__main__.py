"""`python -m rnncli.pretraining -o FILE`: the network that comes with the program, trained on made-up series alone.

The same arguments give the same bytes on the same machine and versions, whether training was broken off or not: what
its next step depends on is kept beside FILE, as FILE.partial, every few minutes.
"""

from __future__ import annotations

import argparse
import os
import sys


def main(words: list[str]) -> int:
    """Train, and write the model file."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: small products, many of them
    from rnncli.errors import RnncliError
    from rnncli.pretraining.training import KEPT_EVERY, STEPS, train

    parser = argparse.ArgumentParser(prog="python -m rnncli.pretraining", description=__doc__)
    parser.add_argument("-o", "--output", required=True, help="the model file")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"training steps (default: {STEPS:,})")
    parser.add_argument("--hidden", type=int, default=128, help="units of the recurrent layer (default: 128)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-every", type=float, default=KEPT_EVERY, help="seconds (default: %(default)s)")
    said = parser.parse_args(words)
    try:
        train(said.output, said.steps, said.hidden, said.seed, said.keep_every)
    except RnncliError as error:
        sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
