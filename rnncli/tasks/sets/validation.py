"""Positions held out of the search, and how likely the sets were that came there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, ranges
from rnncli.metrics.sets import log_probability
from rnncli.tasks.documents import WARM, Holdout, groups
from rnncli.tasks.seen import Seen
from rnncli.tasks.sets.examples import Examples, Hot, examples, hot_of
from rnncli.tasks.sets.spec import SetSpec


@dataclass(frozen=True)
class Pieces(Examples):
    """The questions about held-out pieces, which are asked about alone: `holdout` says where each begins. The state
    goes on from some positions before a piece, and not from the document's beginning.
    """

    holdout: Holdout

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions in the pieces, which are at positions up to ends[i] - 1 of series[i], some at a time."""
        begin = np.maximum(self.holdout.first - WARM, 0)
        steps = ends - begin
        for some in groups(steps, self.spec.tokens):
            step = np.arange(int(steps[some].max(initial=0)))
            asked = step >= (self.holdout.first - begin)[some][:, None]
            yield self.seen(series[some], begin[some], steps[some], asked)


def pieces(panel: Panel, spec: SetSpec, holdout: Holdout) -> Pieces:
    """Held-out pieces of a panel as questions."""
    found = examples(panel, spec, panel.lengths)
    return Pieces(spec, found.hot, found.first, found.ends, holdout)


def rows_of(panel: Panel, holdout: Holdout) -> Ints:
    """The rows of a panel that are held out, piece after piece: [N]."""
    return ranges(panel.offsets[holdout.series] + holdout.first, holdout.stop - holdout.first)


@dataclass(frozen=True)
class Validated:
    """Answers about the sets at N held-out positions: p [N, outputs] of each known token. `hot` [N, tokens] is what
    came, and `document` [N] that of each.
    """

    holdout: Holdout
    p: Floats
    hot: Hot
    document: Ints

    @property
    def series(self) -> Ints:
        """The document [N] of each."""
        return self.document

    def made(self, said: Floats) -> Validated:
        """Other answers to the same questions."""
        return replace(self, p=said)

    def losses(self, spec: SetSpec) -> Floats:
        """-log p of the set that came, in nats, NaN where it is missing: [N]."""
        return -log_probability(with_unknown(spec, self.p), self.hot)


def with_unknown(spec: SetSpec, p: Floats) -> Floats:
    """The probabilities of all tokens from those of the known ones [n, outputs]: token 0 is as probable as it is
    frequent, whatever came before: [n, tokens].
    """
    return np.concatenate([np.full((len(p), 1), spec.frequencies[0]), p], axis=1)


def validated(panel: Panel, holdout: Holdout) -> Validated:
    """The questions about held-out positions, to which nothing is said yet."""
    hot = hot_of(panel)[rows_of(panel, holdout)]
    document = np.repeat(holdout.series, holdout.stop - holdout.first)
    return Validated(holdout, np.full((len(hot), hot.shape[1] - 1), 0.5), hot, document)
