"""Every check of labelled tables in turn, on rows that are read once; what training refuses is a finding, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.framed import SeenFrames
from rnncli.data.frames.block import Block
from rnncli.data.labels.known import KnownLabels
from rnncli.data.labels.load import load_rows, open_labels, read_labels, shown_label
from rnncli.data.labels.rows import LabelRows
from rnncli.data.load import Loaded
from rnncli.data.noted import Notes
from rnncli.data.ordered import sorted_rows
from rnncli.errors import InputRefused
from rnncli.registry import FRAME_CHECKS, LABEL_CHECKS, find
from rnncli.spec import ColumnChoices, FrameChoices, LabelChoices

REFUSED = "refused"
OF_FRAMES = ("frame-missing", "sequence-constant", "pixel-missing", "pixel-constant", "pixel-saturated")


@dataclass(frozen=True)
class SeenLabels:
    """Labelled rows as checks see them: sequence after sequence, by time where there is one; nothing is refused.

    `known` is what a model knows of such rows, `learnt` the ids of the sequences that it learnt from.
    """

    found: LabelRows
    choices: ColumnChoices
    known: KnownLabels | None = None
    learnt: frozenset[str] = frozenset()

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        return sorted_rows(self.found.rows, Notes())

    @property
    def order(self) -> Ints:
        """Places of the rows, sequence after sequence [n]."""
        return self._sorted[0]

    @property
    def offsets(self) -> Ints:
        """Where each sequence begins in `order`, and the end [sequences + 1]."""
        return self._sorted[1]

    @property
    def per_step(self) -> bool:
        """Whether each row has a label of its own."""
        return self.found.choices.per_step

    @cached_property
    def values(self) -> Floats:
        """The channels of all rows, in order [n, channels]; the label is channel 0."""
        return self.found.rows.values[self.order]

    @cached_property
    def inputs(self) -> Floats:
        """What labels are read from in all rows, in order [n, channels]; of frames a number that is the same for the
        same ones.
        """
        inputs = self.values[:, 1:]
        for channel, block in self.found.blocks.items():
            place = [one.name for one in self.found.rows.channels[1:]].index(channel)
            inputs[:, place] = _alike(block, inputs[:, place])
        return np.ascontiguousarray(inputs)

    @property
    def label(self) -> Channel:
        """The channel of labels."""
        return self.found.rows.channels[0]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The names of the sequences."""
        rows = self.found.rows
        return tuple(rows.ids[code] for code in rows.codes[self.order[self.offsets[:-1]]].tolist())

    @cached_property
    def extremes(self) -> tuple[Floats, Floats]:
        """The least and the largest label of each sequence; NaN where it has none [sequences]."""
        label, begins = self.values[:, 0], self.offsets[:-1]
        return np.fmin.reduceat(label, begins), np.fmax.reduceat(label, begins)

    @cached_property
    def examples(self) -> Floats:
        """The label of each example: of each row with `per_step`, else of each sequence (the least, if it changes)."""
        return self.values[:, 0] if self.per_step else self.extremes[0]

    @property
    def what(self) -> str:
        """What has a label."""
        return "rows" if self.per_step else "sequences"

    def shown(self, value: float) -> str:
        """A label as messages write it."""
        return shown_label(value, self.label)

    def of_sequences(self, sequences: Iterable[int], says: Iterable[str] = ()) -> tuple[Example, ...]:
        """The first of these sequences as examples."""
        texts = list(says)
        chosen = [int(s) for s, _ in zip(sequences, range(SHOWN), strict=False)]
        return tuple(
            Example(self.ids[s], None, self.where(int(self.offsets[s])), texts[place] if texts else "")
            for place, s in enumerate(chosen)
        )

    def where(self, row: int) -> str:
        """The place of a row of `order`."""
        return self.found.rows.where(int(self.order[row]))

    @cached_property
    def error(self) -> InputRefused | None:
        """Why training, or the model, refuses the rows; None if it takes them."""
        try:
            load_rows(self.found, self.choices, self.known)
        except InputRefused as error:
            return error
        return None


@dataclass(frozen=True)
class LookedAtLabels:
    """What was found, and what was seen of the data; None where rows cannot be told apart at all."""

    findings: tuple[Finding, ...]
    seen: SeenLabels | None


def check_labels(
    given: Any,
    choices: ColumnChoices,
    labels: LabelChoices,
    known: KnownLabels | None = None,
    learnt: Iterable[str] = (),
    frames: FrameChoices | None = None,
) -> LookedAtLabels:
    """Read labelled data and look at them from all sides; what has no error finding is taken by training or the model.

    Raises InputRefused where a file cannot be read at all, and UsageError.
    """
    labels = labels if known is None else known.choices
    frames = frames if known is None else known.frames
    opened = open_labels(given, choices, labels, known, frames)
    try:
        found = read_labels(opened, choices, labels, known, frames)
    except InputRefused as error:
        return LookedAtLabels((_refusal(error),), None)
    seen = SeenLabels(found, choices, known, frozenset(learnt))
    findings: list[Finding] = []
    for name in LABEL_CHECKS:
        if name == REFUSED and any(finding.severity == "error" for finding in findings):
            continue
        finding = find(LABEL_CHECKS, name, "check")(seen)
        if finding is not None:
            findings.append(replace(finding, id=name))
    if found.blocks and seen.error is None:
        findings += _of_frames(load_rows(found, choices, known))
    return LookedAtLabels(tuple(findings), seen)


def _of_frames(loaded: Loaded) -> list[Finding]:
    """What is found of the frames themselves, as where the next ones are forecast."""
    panel = loaded.panel
    frames = replace(panel, values=panel.values[:, 1:], channels=panel.channels[1:])
    seen = SeenFrames(replace(loaded, panel=frames))
    found = ((name, find(FRAME_CHECKS, name, "check")(seen)) for name in OF_FRAMES)
    return [replace(finding, id=name) for name, finding in found if finding is not None]


def _alike(block: Block, rows: Floats) -> Floats:
    """A number for each frame by its rows [n], the same for those of the same pixels; NaN where there is none."""
    numbers: dict[bytes, int] = {}
    there = np.flatnonzero(~np.isnan(rows))
    found = np.full(len(rows), np.nan)
    for row in there.tolist():
        stored = block.stored(np.array([int(rows[row])]))
        found[row] = numbers.setdefault(blake2b(stored.tobytes(), digest_size=16).digest(), len(numbers))
    return found


def refused(seen: SeenLabels) -> Finding | None:
    """What training refuses for any other reason."""
    return None if seen.error is None else _refusal(seen.error)


def _refusal(error: InputRefused) -> Finding:
    return Finding("error", error.message, 1, (Example(where=error.where or None),), error.hint, REFUSED)
