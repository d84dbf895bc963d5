"""Positions held out of the search, and how likely the tokens were that came there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.baseline import FIRST as RANKED
from rnncli.data.panel import Panel, ranges
from rnncli.tasks.documents import WARM, Holdout, groups
from rnncli.tasks.seen import Seen
from rnncli.tasks.tokens.event_head import loss as event_loss
from rnncli.tasks.tokens.events import waits_of
from rnncli.tasks.tokens.examples import Examples, examples
from rnncli.tasks.tokens.formulas import FIRST
from rnncli.tasks.tokens.spec import Timing, TokenSpec


@dataclass(frozen=True)
class Pieces(Examples):
    """The questions about held-out pieces, which are asked about alone: `holdout` says where each begins.

    The state goes on from 64 positions before a piece, and not from the document's beginning: so pieces of one document
    are looked at side by side.
    """

    holdout: Holdout

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions in the pieces, which are at positions up to ends[i] - 1 of series[i], some at a time."""
        begin = np.maximum(self.holdout.first - WARM, 0)
        steps = ends - begin
        for some in groups(steps, self.spec.widest):
            step = np.arange(int(steps[some].max(initial=0)))
            asked = step >= (self.holdout.first - begin)[some][:, None]
            yield self._ranked(self.seen(series[some], begin[some], steps[some], asked))

    def _ranked(self, seen: Seen) -> Seen:
        """The questions, of which an adaptive softmax says too where what came ranks among the first."""
        if not self.spec.clusters:
            return seen
        return replace(seen, beside={**seen.beside, FIRST: np.full(len(seen.targets), RANKED, np.float32)})


def pieces(panel: Panel, spec: TokenSpec, holdout: Holdout) -> Pieces:
    """Held-out pieces of a panel as questions."""
    found = examples(panel, spec, panel.lengths)
    return Pieces(spec, found.codes, found.first, found.ends, found.beside, holdout)


@dataclass(frozen=True)
class Validated:
    """What was said of the tokens [N] at held-out positions: `said` [N, 2] are the logarithm of the probability of what
    came, and how many tokens were held for more likely; behind them, where there is a `timing`, quantiles of the scaled
    time to it. `document` [N] is that of each, and z [N] the scaled time, NaN where none came.
    """

    holdout: Holdout
    said: Floats
    document: Ints
    timing: Timing | None = None
    z: Floats | None = None

    @property
    def series(self) -> Ints:
        """The document [N] of each."""
        return self.document

    def made(self, said: Floats) -> Validated:
        """Other answers to the same questions."""
        return replace(self, said=said)

    def losses(self) -> Floats:
        """-log p of what came, in nats, with the weighted loss of the time where there is one: [N]."""
        losses = -self.said[:, 0]
        if self.timing is not None:
            losses = losses + event_loss(self.timing, self.said[:, 2:], self.z, np)
        return np.asarray(losses)


def validated(panel: Panel, spec: TokenSpec, holdout: Holdout) -> Validated:
    """The questions about held-out positions, to which nothing is said yet."""
    count = holdout.stop - holdout.first
    document = np.repeat(holdout.series, count)
    if spec.timing is None:
        return Validated(holdout, np.zeros((len(document), 2)), document)
    z = spec.timing.scaled(waits_of(panel))[ranges(panel.offsets[holdout.series] + holdout.first, count)]
    said = np.zeros((len(document), 2 + len(spec.timing.levels)))
    return Validated(holdout, said, document, spec.timing, z)
