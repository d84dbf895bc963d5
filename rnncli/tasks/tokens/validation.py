"""Positions held out of the search, and how likely the tokens were that came there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.baseline import FIRST as RANKED
from rnncli.data.panel import Panel, ranges
from rnncli.tasks.seen import Seen
from rnncli.tasks.tokens.examples import Examples, examples, groups
from rnncli.tasks.tokens.formulas import FIRST
from rnncli.tasks.tokens.spec import TokenSpec

SHARE = 0.1  # of the tokens
MOST = 1 << 16  # tokens: more tell no more
MANY = 10  # documents from which on whole ones are held out; of fewer the last part of each
SHORTEST = 20  # tokens of a document that is cut
PIECE, WARM = 128, 64  # positions of a piece, and before it, from which the network takes what came before


@dataclass(frozen=True)
class Holdout:
    """Pieces [N] of documents that the search does not see: positions first[i] ... stop[i] - 1 of series[i]."""

    series: Ints
    first: Ints
    stop: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Tokens of each document that the search may look at: those before its first piece."""
        ends = lengths.copy()
        np.minimum.at(ends, self.series, self.first)
        return ends

    def some(self, most: int) -> Holdout:
        """Pieces of about as many positions, spread evenly."""
        if len(self) <= most:
            return self
        count = max(1, round(most / len(self) * len(self.series)))
        at = np.unique(np.linspace(0, len(self.series) - 1, count).astype(np.int64))
        return Holdout(self.series[at], self.first[at], self.stop[at])

    def __len__(self) -> int:
        """Number of positions."""
        return int((self.stop - self.first).sum())


def hold_out(panel: Panel) -> Holdout:
    """A tenth of the tokens, 65,536 at most: whole documents where there are ten, else the last part of each."""
    lengths = panel.lengths
    most = min(int(SHARE * lengths.sum()), MOST)
    if len(panel) >= MANY:
        order = np.random.default_rng(0).permutation(len(panel))
        before = np.cumsum(lengths[order]) - lengths[order]
        series = np.sort(order[: min(max(1, int(np.searchsorted(before, most))), len(panel) - 1)])
        first = np.zeros(len(series), np.int64)
    else:
        series = np.flatnonzero(lengths >= SHORTEST)
        share = min(SHARE, MOST / max(1, int(lengths.sum())))
        first = lengths[series] - np.maximum(1, (share * lengths[series]).astype(np.int64))
    return _pieces(series, first, lengths[series])


def _pieces(series: Ints, first: Ints, stop: Ints) -> Holdout:
    """Positions first[i] ... stop[i] - 1 of each series[i], in pieces."""
    count = -(-(stop - first) // PIECE)
    which = np.repeat(np.arange(len(series)), count)
    begin = first[which] + PIECE * ranges(np.zeros(len(series), np.int64), count)
    return Holdout(series[which], begin, np.minimum(begin + PIECE, stop[which]))


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
        return replace(seen, beside={**seen.beside, FIRST: np.full_like(seen.targets, RANKED)})


def pieces(panel: Panel, spec: TokenSpec, holdout: Holdout) -> Pieces:
    """Held-out pieces of a panel as questions."""
    found = examples(panel, spec, panel.lengths)
    return Pieces(spec, found.codes, found.first, found.ends, holdout)


@dataclass(frozen=True)
class Validated:
    """What was said of the tokens [N] at held-out positions: `said` [N, 2] are the logarithm of the probability of what
    came, and how many tokens were held for more likely. `document` [N] is that of each.
    """

    holdout: Holdout
    said: Floats
    document: Ints

    @property
    def series(self) -> Ints:
        """The document [N] of each."""
        return self.document

    def made(self, said: Floats) -> Validated:
        """Other answers to the same questions."""
        return replace(self, said=said)

    def losses(self) -> Floats:
        """-log p of what came, in nats: [N]."""
        return np.asarray(-self.said[:, 0])


def validated(holdout: Holdout) -> Validated:
    """The questions about held-out positions, to which nothing is said yet."""
    count = holdout.stop - holdout.first
    return Validated(holdout, np.zeros((int(count.sum()), 2)), np.repeat(holdout.series, count))
