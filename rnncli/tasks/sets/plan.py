"""The plan that follows from documents of sets: how large the network is, and how long it is trained.

Width, layers and dropout follow from the number of steps and, where there is a time budget, from that too, by the
tables below; never from how fast this machine happens to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.baselines.sets.counted import frequencies_in
from rnncli.cells.named import layers_of, refuse_bidirectional, refuse_gaps, resolved
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.plan import Sizes
from rnncli.tasks.sets.examples import documents_of
from rnncli.tasks.sets.spec import SetSpec

CELL = "lstm"
BATCH, STEPS = 16, 64  # streams side by side, and steps of each that are learnt from at a time
FEWEST_STEPS, MOST_STEPS = 200, 200_000
FORGOTTEN = 0.1
NARROW = 64  # numbers in which a set is summed up, at most


@dataclass(frozen=True)
class Size:
    """The network for up to so many steps, its dropout, how often training goes through them, and how many networks
    say together what comes next.
    """

    steps: float
    hidden: int
    dropout: float
    rounds: float
    members: int


SIZES = (
    Size(2_000, 64, 0.5, 60, 4),
    Size(50_000, 256, 0.5, 40, 4),
    Size(500_000, 256, 0.3, 20, 2),
    Size(math.inf, 512, 0.2, 10, 1),
)
BUDGETS = ((60, 128), (math.inf, 512))
"""Seconds of a time budget below which a network is no wider than so many units."""


def set_spec(panel: Panel, options: TrainOptions) -> SetSpec:
    """The choices that follow from the documents of a panel, and from what was said. InputRefused where no set is
    known.
    """
    documents = documents_of(panel)
    if not documents.known.any():
        raise InputRefused("every set is missing", hint="look at the column: an empty set is an empty list or text")
    longest = int(panel.lengths.max())
    return SetSpec(
        frequencies=tuple(frequencies_in(documents).tolist()),
        steps=max(1, min(int(options.get("tbptt") or STEPS), longest)),
        forgotten=FORGOTTEN,
    )


def size_of(panel: Panel) -> Size:
    """The size for as many steps as there are."""
    return next(size for size in SIZES if len(panel.values) < size.steps)


def width(panel: Panel, budget: float | None) -> int:
    """The units of a layer, from the number of steps and a time budget in seconds."""
    hidden = size_of(panel).hidden
    return hidden if budget is None else min(hidden, next(most for below, most in BUDGETS if budget < below))


def network_spec(panel: Panel, sizes: Sizes) -> NetworkSpec:
    """One layer of LSTM. UsageError for a cell that looks ahead."""
    cell = sizes.cell or CELL
    refuse_bidirectional(cell, "the next set must not be seen before it is said")
    refuse_gaps(cell)
    layers = sizes.layers or layers_of(cell) or 1
    hidden = sizes.hidden or width(panel, sizes.time_budget)
    return NetworkSpec(
        cell=resolved(cell, layers, ()),
        activation=sizes.activation,
        layers=layers,
        hidden=hidden,
        dropout=size_of(panel).dropout if sizes.dropout is None else sizes.dropout,
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=min(hidden, NARROW),
        members=sizes.members or size_of(panel).members,
        layer_norm=sizes.layer_norm,
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
    )


def training_spec(panel: Panel, spec: SetSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, streams and rates; the steps are those of the search on held-out positions."""
    rows = len(panel.values)
    batch = sizes.batch or max(1, min(BATCH, rows // (4 * spec.steps)))
    planned = math.ceil(size_of(panel).rounds * rows / (batch * spec.steps))
    steps = sizes.steps or min(MOST_STEPS, max(FEWEST_STEPS, planned))
    return sizes.training(steps=steps, batch=batch, rate=5e-3, tbptt=spec.steps)
