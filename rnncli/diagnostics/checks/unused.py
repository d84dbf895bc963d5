"""Memory that was mended and, as far as a short training shows, is put to no use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.finding import NOTE, Finding
from rnncli.diagnostics.trial import Trial

WORTH = 0.01
RULE = (
    "the gradient vanishes without a remedy and is healthy with one, and after the same training no such remedy makes"
    f" the loss lower by {WORTH:.0%} or more, nor does its interval reach so far"
)


def memory_unused(before: Trial, trials: Sequence[Trial]) -> Iterator[Finding]:
    """What lies so far back is of no use here, the inputs hold it already, or it takes longer to learn to use it."""
    mended = [trial for trial in trials if trial.healthy and trial.gain is not None]
    if not (mended and before.vanishes):
        return
    most = max(_most(trial) for trial in mended)
    if most < WORTH:
        says = (
            f"a gradient that reaches lag {before.lag} does not lower the loss in {before.steps} steps of training"
            f" (by {most:.1%} at most): what lies so far back is of no use here, is in the inputs, or"
            " takes longer to learn (--try-steps)"
        )
        yield Finding("memory-unused", says, RULE, most, severity=NOTE)


def _most(trial: Trial) -> float:
    """How much lower the loss may be with a remedy, at the upper end of what is likely."""
    assert trial.gain is not None
    return trial.gain if trial.gain_interval is None else trial.gain_interval[1]
