"""Run the panel: python tests/diagnostics/planted/run.py [--file NAME] [--seed N] [--blind] [--key] [--full] [WORD].

Prints what the doctor says of every case (whose name holds the words, in the files of `cases/` that --file names) and a
confusion matrix. With --blind the cases come in a random order and under numbers, and nothing says what they are;
--key, with the same seed, says it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from planting import Case, cases, report_on


def matrix(found: list[tuple[Case, str]]) -> list[str]:
    """Rows: what was planted; columns: what was said."""
    counts = Counter((case.expected[0], said) for case, said in found)
    said = sorted({said for _, said in counts})
    planted = dict.fromkeys(case.expected[0] for case, _ in found)
    rows = [[name, *(str(counts[name, column] or "") for column in said)] for name in planted]
    grid = [["planted", *said], *rows]
    widths = [max(len(row[place]) for row in grid) for place in range(len(grid[0]))]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in grid
    ]


def summary(found: list[tuple[Case, str]]) -> str:
    """How many are right, and how many healthy ones are not called so."""
    healthy = [said for case, said in found if case.expected[0] == "healthy"]
    faults = [said in case.expected for case, said in found if case.expected[0] != "healthy"]
    alarms = sum(said != "healthy" for said in healthy)
    return f"faults right: {sum(faults)} of {len(faults)}; false alarms: {alarms} of {len(healthy)}"


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", action="append")
    for flag in ("blind", "key", "full"):
        parser.add_argument(f"--{flag}", action="store_true")
    told = parser.parse_args()
    chosen = [case for case in cases(told.file or ["*"]) if all(word in case.name for word in told.words)]
    if told.blind or told.key:
        chosen = [chosen[place] for place in np.random.default_rng(told.seed).permutation(len(chosen))]
    found = []
    for number, case in enumerate(chosen, 1):
        if told.key:
            print(number, " or ".join(case.expected), "--", case.name)
            continue
        began = time.process_time()
        report = report_on(case, told.seed, quick=not told.full)
        found.append((case, report.diagnosis))
        mark = "" if told.blind else ("ok   " if report.diagnosis in case.expected else "WRONG")
        name = "" if told.blind else f"{case.name} ({case.data})"
        also = ", ".join(dict.fromkeys(finding.check for finding in report.faults))
        print(
            f"{mark} {number:3} {report.diagnosis:14} [{also}] {name} {time.process_time() - began:.1f} s", flush=True
        )
    if found and not told.blind:
        print("\n".join([*matrix(found), summary(found)]))


if __name__ == "__main__":
    main()
