"""What event logs say about how to learn from them: scales of numbers and times, and which categories are known."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel
from rnncli.data.tokens.channels import SINCE, documents_with
from rnncli.data.tokens.vocabulary import has_end
from rnncli.data.zones import to_wall
from rnncli.options.types import TrainOptions
from rnncli.tasks.tokens.events import DAY, ENDED, MONDAY, waits_of
from rnncli.tasks.tokens.spec import Channelled, Timing, TokenSpec

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FEWEST = 3  # documents with a category, of which something can be learnt
BLANKED = 0.1  # share of categories that are not seen in training, so that what unknown ones mean is learnt
WEIGHT = 1.0  # of the loss of times beside that of events
FEWEST_STREAMS, MOST_STREAMS, AT_ONCE = 32, 128, 1_024  # and tokens of a batch
NORMAL = 1.349  # quartiles of a normal distribution are so many deviations apart


def steps_of(panel: Panel, spec: TokenSpec) -> float:
    """How many tokens a stretch has on average: those of short cases are not filled up."""
    stretches = -(-panel.lengths // spec.steps)
    return float(panel.lengths.sum() / max(1, stretches.sum()))


def batch_of(filled: float) -> int:
    """How many streams there are, of which a stretch has so many tokens: more where cases are short."""
    return int(min(MOST_STREAMS, max(FEWEST_STREAMS, AT_ONCE // filled)))


def seen_beside(panel: Panel) -> tuple[Channelled, ...]:
    """The channels beside events with what centres and scales them."""
    came = np.flatnonzero(panel.values[:, 0] != ENDED) if has_end(panel.channels[0].vocabulary) else slice(None)
    owner, values = np.repeat(np.arange(len(panel)), panel.lengths)[came], panel.values[came]
    return tuple(
        _channelled(channel, values[:, place], owner)
        for place, channel in enumerate(panel.channels)
        if channel.role in ("static", "input")
    )


def _channelled(channel: Channel, values: Floats, owner: np.ndarray) -> Channelled:
    static = channel.role == "static"
    if channel.kind == "category":
        often = documents_with(values, owner, len(channel.vocabulary)) >= FEWEST
        return Channelled(channel.name, static, max(1, int(np.count_nonzero(often))))
    seen = values[~np.isnan(values)]
    center, scale = _center_and_scale(seen)
    return Channelled(channel.name, static, 0, center, scale, gaps=bool(seen.size < values.size))


def _center_and_scale(seen: Floats) -> tuple[float, float]:
    """The median and the distance of the quartiles as that of a normal distribution; the standard deviation where half
    of the values are the same, and 1 where all are.
    """
    if not seen.size:
        return 0.0, 1.0
    low, center, high = np.quantile(seen, [0.25, 0.5, 0.75])
    scale = float(high - low) / NORMAL or float(np.std(seen / max(1.0, np.abs(seen).max()))) * max(
        1.0, float(np.abs(seen).max())
    )
    return float(center), scale if scale > 0 else 1.0


def timing_of(panel: Panel, options: TrainOptions, *, counted: bool) -> Timing | None:
    """How times are seen and said, which may be `counted` steps; None where events have none."""
    if panel.channels[-1].role != "time":
        return None
    wait = waits_of(panel)
    seen = wait[~np.isnan(wait)]
    above = seen[seen > 0]
    unit = float(np.median(above)) if above.size else 1.0
    logs = np.log1p(seen / unit)
    spread = float(logs.std()) if seen.size else 0.0
    wall = to_wall(panel.values[:, SINCE[0]].astype(np.int64), panel.calendar.zone)
    return Timing(
        levels=tuple(sorted({*(options.get("quantiles") or LEVELS), 0.5})),
        unit=unit,
        center=float(logs.mean()) if seen.size else 0.0,
        spread=spread if spread > 0 else 1.0,
        weight=WEIGHT,
        count=counted,
        clock=not counted and bool((wall % DAY != wall[0] % DAY).any()),
        week=not counted and bool(((wall + MONDAY) // DAY % 7 != (wall[0] + MONDAY) // DAY % 7).any()),
    )
