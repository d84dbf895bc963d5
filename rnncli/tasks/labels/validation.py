"""Sequences held out of the search, and how wrong the labels are that are said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.layers.quantiles import pinball
from rnncli.metrics.labels import log_losses
from rnncli.tasks.labels.spec import LabelSpec

SHARE = 0.2  # of the sequences
FEWEST = 5  # sequences with a label: of fewer, none is spared


@dataclass(frozen=True)
class Holdout:
    """Sequences [N] that the search does not see, whole."""

    series: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each series that the search may look at: all, or none."""
        ends = lengths.copy()
        ends[self.series] = 0
        return ends

    def some(self, most: int) -> Holdout:
        """As many of them, spread evenly."""
        count = max(1, min(len(self.series), most))
        places = np.unique(np.linspace(0, len(self.series) - 1, count).astype(np.int64))
        return Holdout(self.series[places]) if len(self.series) else self

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.series)


def hold_out(panel: Panel, spec: LabelSpec) -> Holdout:
    """A fifth of the labelled sequences, of each class about as many as it has; whole groups of them where the panel
    says which belong together; never the last one of a class.
    """
    rng = np.random.default_rng(0)
    known = np.flatnonzero(_labelled(panel))
    if len(known) < FEWEST:
        return Holdout(np.zeros(0, np.int64))
    if panel.groups is not None:
        return _whole_groups(panel.groups, known, rng)
    kinds = _kinds(panel, known, spec)
    held: list[int] = []
    for kind in np.unique(kinds):
        mine = rng.permutation(known[kinds == kind])
        held += mine[: max(round(SHARE * len(mine)), int(len(mine) > 1))].tolist()
    return Holdout(np.array(sorted(held), np.int64))


def _labelled(panel: Panel) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.add.reduceat(~np.isnan(panel.targets), panel.offsets[:-1]) > 0


def _kinds(panel: Panel, known: Ints, spec: LabelSpec) -> Ints:
    """By what sequences are told apart: their class, where each has one."""
    if spec.per_step or not spec.classes:
        return np.zeros(len(known), np.int64)
    return np.asarray(panel.targets[panel.offsets[known]].astype(np.int64))


def _whole_groups(groups: Ints, known: Ints, rng: np.random.Generator) -> Holdout:
    """Groups until a fifth of the sequences is held out; one stays at least."""
    names = rng.permutation(np.unique(groups[known]))
    held = np.zeros(len(known), np.bool_)
    for name in names[:-1]:
        if held.sum() >= SHARE * len(known):
            break
        held |= groups[known] == name
    return Holdout(known[held])


@dataclass(frozen=True)
class Validated:
    """What was said to the questions about held-out sequences [N, poolings, classes or levels], the labels [N] (NaN
    where nobody knows), and the sequence [N] of each.
    """

    holdout: Holdout
    said: Floats
    labels: Floats
    sequence: Ints

    @property
    def series(self) -> Ints:
        """The sequence [N] of each."""
        return self.sequence

    def made(self, said: Floats) -> Validated:
        """Other answers to the same questions."""
        return replace(self, said=said)

    def losses(self, spec: LabelSpec) -> Floats:
        """The loss of each pooling's answers, NaN where nobody knows: [N, poolings]. Log losses of classes; of
        numbers the pinball loss in units of their scale.
        """
        known = ~np.isnan(self.labels)
        found = np.full(self.said.shape[:2], np.nan)
        for place in range(self.said.shape[1]):
            said = self.said[known, place]
            if spec.classes:
                found[known, place] = log_losses(self.labels[known].astype(np.int64), said)
            else:
                found[known, place] = pinball(said, self.labels[known], spec.levels, np) / spec.scale
        return found


def validated(panel: Panel, spec: LabelSpec, holdout: Holdout) -> Validated:
    """The questions about held-out sequences, to which nothing is said yet."""
    length = panel.lengths[holdout.series] if spec.per_step else np.ones(len(holdout), np.int64)
    sequence = np.repeat(holdout.series, length)
    row = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    labels = panel.targets[panel.offsets[sequence] + row]
    return Validated(holdout, np.zeros((len(labels), len(spec.poolings), spec.outputs)), labels, sequence)
