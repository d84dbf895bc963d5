"""Does the first remedy help? python tests/diagnostics/planted/remedies.py [--file NAME] [--steps N] [--seed N] [WORD].

With --trained, cases whose weights are planted are models, as for `--try -m`: trained a little before the fault is
planted, and trained on from there; other faults of weights are tried then too.

On every case of a vanishing, exploding or chaotic gradient the same short training is run from the planted weights
without a remedy, and with the first remedy by its flags alone. It is right where every verdict is healthy after it and
the loss on rows held out is lower. Gradients that vanish on series that need no memory have nothing to lose: they are
run with --all, and counted apart; where the doctor then says that memory is put to no use, so does the last column.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from planting import REMEMBERED, Case, cases, loaded_for, probe_of

from rnncli.diagnostics.checks.unused import memory_unused
from rnncli.diagnostics.report import GradientReport
from rnncli.diagnostics.trial import Trial
from rnncli.events import unheard
from rnncli.nn.runtime import prepared
from rnncli.workflows.probe import QUICK
from rnncli.workflows.trying import try_remedies

GRADIENTS = {"vanishing", "exploding", "chaotic"}
OF_WEIGHTS = GRADIENTS | {
    "saturated",
    "dead-units",
    "frozen",
    "held",
    "alike",
    "unmoved",
    "untaught",
    "depth-vanishing",
}
TRAINED = 40  # steps before a fault is planted in a model


def costs(case: Case) -> bool:
    """Whether the loss must be lower without the fault: where gradients grow, or vanish and memory is needed."""
    return case.expected[0] != "vanishing" or case.data in REMEMBERED


def first_remedy(
    case: Case, seed: int = 0, steps: int | None = None, *, model: bool = False
) -> tuple[Trial, Trial | None]:
    """Training without a remedy and with the first that is an option of train, None where none is proposed; from a
    trained `model`'s weights, or as a training begins.
    """
    case = replace(case, steps=case.steps or TRAINED) if model else case
    with prepared(1):
        loaded = loaded_for(case)
        probe = probe_of(case, loaded, seed)
        report = GradientReport.of(probe.evidence(QUICK))
        first = tuple(proposal for proposal in report.proposals if proposal.options)[:1]
        done = try_remedies(replace(probe, trained=model), loaded, replace(report, proposals=first), unheard, steps)
    assert done.before is not None
    tried = [trial for trial in done.trials if trial.proposal is not None]
    return done.before, tried[0] if tried else None


def helped(before: Trial, after: Trial | None) -> bool:
    """Whether all verdicts are good and the loss is lower."""
    return after is not None and after.healthy and after.loss < before.loss


def spared(before: Trial, after: Trial | None) -> bool:
    """Whether the doctor says that memory is not used."""
    return after is not None and any(memory_unused(before, [after]))


def row(case: Case, before: Trial, after: Trial | None) -> str:
    """A line of the table."""
    flags = after.proposal.flags if after is not None and after.proposal is not None else "none"
    states = ", ".join(verdict.name for verdict in after.verdicts) if after is not None else ""
    was = ", ".join(verdict.name for verdict in before.verdicts)
    mark = "yes" if helped(before, after) else "unused" if spared(before, after) else "NO"
    loss = f"{after.loss:.3g}" if after is not None else ""
    return f"| {case.name} ({case.data}) | `{flags}` | {before.loss:.3g} | {loss} | {was} | {states} | {mark} |"


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", action="append")
    parser.add_argument("--steps", type=int)
    for flag in ("all", "trained"):
        parser.add_argument(f"--{flag}", action="store_true")
    told = parser.parse_args()
    chosen = [
        case
        for case in cases(told.file or ["*"])
        if case.expected[0] in (OF_WEIGHTS if told.trained else GRADIENTS)
        and all(w in case.name for w in told.words)
        and (told.all or costs(case))
        and (case.plant is not None or not told.trained)
    ]
    began, right = time.process_time(), Counter[tuple[bool, bool]]()
    print("| planted | first remedy | loss without | with it | verdicts without | with it | helps |", flush=True)
    for case in chosen:
        before, after = first_remedy(case, told.seed, told.steps, model=told.trained)
        right[costs(case), helped(before, after)] += 1
        print(row(case, before, after), flush=True)
    for costly, where in ((True, "where the fault costs something"), (False, "where no memory is needed")):
        if tried := right[costly, True] + right[costly, False]:
            print(f"helped {where}: {right[costly, True]} of {tried}")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
