"""What documents say about how to learn from them: how large the network is, and how long it is trained.

Width, layers and dropout follow from the number of tokens and, where there is a time budget, from that too, by the
tables below; never from how fast this machine happens to be. As many steps are taken as go through the tokens so often,
or as fit the budget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.cells.named import layers_of, refuse_bidirectional, refuse_convolution, resolved
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.plan import Refit, Sizes, evaluate_every
from rnncli.tasks.tokens.adaptive import clusters_for
from rnncli.tasks.tokens.spec import TokenSpec

CELL = "lstm"
BATCH, STEPS = 32, 64  # streams side by side, and steps of each that are learnt from at a time
FEWEST_STEPS, MOST_STEPS = 200, 200_000
FORGOTTEN = 0.05
NARROW = 256  # units up to which steps are longer
REFIT = Refit(share=0.1, rate=0.2)  # a tenth of a text is little more to learn from: most of the time is the search's
MANY_KINDS = 1_000  # tokens: of more, some kinds are forgotten


@dataclass(frozen=True)
class Size:
    """The network for up to so many tokens, its dropout, how often training goes through them, and how many networks
    say together what comes next: few tokens are learnt in as many ways as there are networks.
    """

    tokens: float
    hidden: int
    dropout: float
    rounds: float
    members: int


SIZES = (
    Size(20_000, 64, 0.3, 40, 4),
    Size(100_000, 128, 0.3, 30, 2),
    Size(500_000, 256, 0.3, 20, 1),
    Size(math.inf, 512, 0.2, 12, 1),
)
BUDGETS = ((60, 128), (240, 256), (1_800, 512), (math.inf, 768))
"""Seconds of a time budget below which a network is no wider than so many units."""


def token_spec(panel: Panel, options: TrainOptions) -> TokenSpec:
    """The choices that follow from the documents of a panel, and from what was said. InputRefused for documents in
    which nothing comes next.
    """
    tokens = len(panel.channels[0].vocabulary)
    if not tokens:
        raise InputRefused("the vocabulary is empty", hint="give documents that hold something")
    longest = int(panel.lengths.max())
    return TokenSpec(
        tokens=tokens,
        steps=max(1, min(int(options.get("tbptt") or STEPS), longest)),
        forgotten=FORGOTTEN if tokens > MANY_KINDS else 0.0,
        ranked=options.get("split") != "byte",
        clusters=clusters_for(tokens),
    )


def size_of(panel: Panel) -> Size:
    """The size for as many tokens as there are."""
    return next(size for size in SIZES if len(panel.values) < size.tokens)


def width(panel: Panel, budget: float | None) -> int:
    """The units of a layer, from the number of tokens and a time budget in seconds."""
    hidden = size_of(panel).hidden
    return hidden if budget is None else min(hidden, next(most for below, most in BUDGETS if budget < below))


def network_spec(panel: Panel, sizes: Sizes) -> NetworkSpec:
    """One layer of LSTM. UsageError for a cell that looks ahead."""
    cell = sizes.cell or CELL
    refuse_bidirectional(cell, "the next token must not be seen before it is said")
    refuse_convolution(cell)
    layers = sizes.layers or layers_of(cell) or 1
    hidden = sizes.hidden or width(panel, sizes.time_budget)
    return NetworkSpec(
        cell=resolved(cell, layers, ()),
        activation=sizes.activation,
        layers=layers,
        hidden=hidden,
        dropout=size_of(panel).dropout if sizes.dropout is None else sizes.dropout,
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=hidden,
        members=sizes.members or size_of(panel).members,
        layer_norm=sizes.layer_norm,
    )


def training_spec(panel: Panel, spec: TokenSpec, hidden: int, sizes: Sizes) -> TrainingSpec:
    """Steps, streams and rates; the steps are those of the search on held-out positions."""
    tokens = len(panel.values)
    batch = sizes.batch or max(1, min(BATCH, tokens // (4 * spec.steps)))
    planned = math.ceil(size_of(panel).rounds * tokens / (batch * spec.steps))
    steps = sizes.steps or min(MOST_STEPS, max(FEWEST_STEPS, planned))
    return TrainingSpec(
        steps=steps,
        batch=batch,
        learning_rate=sizes.learning_rate or (5e-3 if hidden <= NARROW else 3e-3),
        weight_decay=0.01,
        clip=sizes.clip or 1.0,
        seed=sizes.seed,
        averaging=0.99,
        evaluate_every=evaluate_every(steps),
        time_budget=sizes.time_budget,
        tbptt=spec.steps,
        clip_value=sizes.clip_value,
    )
