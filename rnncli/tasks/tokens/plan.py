"""What documents say about how to learn from them: how large the network is, and how long it is trained.

Width, layers and dropout follow from the number of tokens and, where there is a time budget, from that too, by the
tables below; never from how fast this machine happens to be. As many steps are taken as go through the tokens so often,
or as fit the budget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.cells.named import layers_of, refuse_bidirectional, refuse_convolution, refuse_gaps, resolved
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.plan import Refit, Sizes
from rnncli.tasks.tokens import event_plan
from rnncli.tasks.tokens.adaptive import ABOVE, clusters_for
from rnncli.tasks.tokens.spec import TokenSpec

CELL = "lstm"
BATCH, STEPS = 32, 64  # streams side by side, and steps of each that are learnt from at a time
FEWEST_STEPS, MOST_STEPS = 200, 200_000
FORGOTTEN = 0.05
REFIT = Refit(share=0.1, rate=0.2)  # a tenth of a text is little more to learn from: most of the time is the search's
MANY_KINDS = 1_000  # tokens: of more, some kinds are forgotten
ORDER, ORDER_OF_MANY = 8, 5  # of the n-grams beside a network of few kinds of tokens, and of many


@dataclass(frozen=True)
class Size:
    """The network for up to so many tokens, what is left out of it, at what rate and how often training goes through
    them, and how many networks say together what comes next: few tokens are learnt in as many ways as there are
    networks.
    """

    tokens: float
    layers: int
    hidden: int
    dropout: float
    recurrent_dropout: float
    rate: float
    rounds: float
    members: int


CHARACTERS = (
    Size(20_000, 1, 64, 0.3, 0.0, 5e-3, 40, 4),
    Size(100_000, 1, 128, 0.3, 0.0, 5e-3, 30, 2),
    Size(500_000, 1, 256, 0.3, 0.0, 5e-3, 20, 1),
    Size(math.inf, 1, 512, 0.25, 0.15, 2e-3, 12, 1),
)
WORDS = (
    Size(20_000, 1, 64, 0.3, 0.0, 5e-3, 40, 4),
    Size(100_000, 1, 128, 0.3, 0.0, 5e-3, 30, 2),
    Size(500_000, 2, 192, 0.3, 0.2, 3e-3, 15, 1),
    Size(math.inf, 2, 256, 0.3, 0.2, 2e-3, 10, 1),
)
"""Of many kinds, whose table costs more than the recurrence: a narrow network goes through the tokens more often."""
EVENTS = (
    Size(20_000, 1, 64, 0.3, 0.0, 5e-3, 40, 4),
    Size(100_000, 1, 128, 0.3, 0.0, 5e-3, 20, 2),
    Size(500_000, 1, 128, 0.2, 0.0, 5e-3, 10, 2),
    Size(math.inf, 1, 192, 0.2, 0.0, 5e-3, 5, 1),
)
"""Of events with more than their tokens, of which there are few kinds: they need a smaller network than words."""
LONGER = 2.5  # as often does training go through tokens at most where a time budget says how long it may take
BUDGETS = ((60, 128), (240, 256), (1_800, 512), (math.inf, 768))
"""Seconds of a time budget below which a network is no wider than so many units."""


def token_spec(panel: Panel, options: TrainOptions, *, counted: bool = False) -> TokenSpec:
    """The choices that follow from the documents of a panel, whose times may be `counted`, and from what was said.
    InputRefused for documents in which nothing comes next.
    """
    tokens = len(panel.channels[0].vocabulary)
    if not tokens:
        raise InputRefused("the vocabulary is empty", hint="give documents that hold something")
    longest = int(panel.lengths.max())
    beside = event_plan.seen_beside(panel)
    return TokenSpec(
        tokens=tokens,
        steps=max(1, min(int(options.get("tbptt") or STEPS), longest)),
        forgotten=FORGOTTEN if tokens > MANY_KINDS else 0.0,
        ranked=options.get("split") != "byte",
        beside=beside,
        timing=event_plan.timing_of(panel, options, counted=counted),
        blanked=event_plan.BLANKED if any(channel.categories for channel in beside) else 0.0,
        clusters=clusters_for(tokens),
        ngrams=_order(tokens, options),
    )


def _order(tokens: int, options: TrainOptions) -> int:
    """The highest order of n-grams for so many kinds of tokens; none beside an adaptive softmax, of which all that can
    come is never said at once. UsageError for n-grams that cannot be.
    """
    asked = options.get("ngrams")
    if not clusters_for(tokens):
        return (ORDER_OF_MANY if tokens > MANY_KINDS else ORDER) if asked is None else asked
    if asked:
        raise UsageError(
            f"--ngrams is for up to {ABOVE:,} kinds of tokens, and there are {tokens:,}",
            hint="leave it out, or know fewer with --vocabulary",
        )
    return 0


def size_of(panel: Panel) -> Size:
    """The size for as many tokens, of as many kinds, as there are."""
    kinds = len(panel.channels[0].vocabulary)
    sizes = EVENTS if len(panel.channels) > 1 else WORDS if kinds > MANY_KINDS else CHARACTERS
    return next(size for size in sizes if len(panel.values) < size.tokens)


def width(panel: Panel, budget: float | None) -> int:
    """The units of a layer, from the number of tokens and a time budget in seconds."""
    hidden = size_of(panel).hidden
    return hidden if budget is None else min(hidden, next(most for below, most in BUDGETS if budget < below))


def network_spec(panel: Panel, sizes: Sizes) -> NetworkSpec:
    """Layers of LSTM. UsageError for a cell that looks ahead."""
    cell, size = sizes.cell or CELL, size_of(panel)
    refuse_bidirectional(cell, "the next token must not be seen before it is said")
    refuse_convolution(cell)
    refuse_gaps(cell)
    layers = sizes.layers or layers_of(cell) or size.layers
    hidden = sizes.hidden or width(panel, sizes.time_budget)
    return NetworkSpec(
        cell=resolved(cell, layers, ()),
        activation=sizes.activation,
        layers=layers,
        hidden=hidden,
        dropout=_or(sizes.dropout, size.dropout),
        recurrent_dropout=_or(sizes.recurrent_dropout, size.recurrent_dropout),
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=hidden,
        members=sizes.members or size.members,
        layer_norm=sizes.layer_norm,
    )


def _or(given: float | None, planned: float) -> float:
    return planned if given is None else given


def training_spec(panel: Panel, spec: TokenSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, streams and rates; the steps are those of the search on held-out positions."""
    tokens, size = len(panel.values), size_of(panel)
    filled = spec.steps if spec.plain else event_plan.steps_of(panel, spec)
    usual = BATCH if spec.plain else event_plan.batch_of(filled)
    batch = sizes.batch or max(1, min(usual, int(tokens // (4 * filled))))
    rounds = size.rounds * (1 if sizes.time_budget is None else LONGER)
    planned = math.ceil(rounds * tokens / (batch * filled))
    steps = sizes.steps or min(MOST_STEPS, max(FEWEST_STEPS, planned))
    return sizes.training(steps=steps, batch=batch, rate=size.rate, tbptt=spec.steps)
