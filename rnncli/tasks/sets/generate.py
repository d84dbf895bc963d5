"""Sets drawn one after the other, each from what the network says after all before it (NumPy)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.metrics.sets import NEAREST
from rnncli.options.types import AnswerOptions
from rnncli.tasks.sets.examples import Hot
from rnncli.tasks.sets.stateful import Reading
from rnncli.tasks.sets.stream import SetState, following


@dataclass(frozen=True)
class Drawing:
    """The way in which a set is drawn: each token on its own, with probability sigmoid(logit(p) / `temperature`);
    `seed` is that of the draws. UsageError for a temperature that is not above 0.
    """

    temperature: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise UsageError(f"--temperature must be above 0, not {self.temperature}", hint="0.1 takes the likeliest")


def drawing_of(options: AnswerOptions) -> Drawing:
    """The way in which the options say that sets are drawn."""
    temperature, seed = options.get("temperature"), options.get("seed")
    return Drawing(1.0 if temperature is None else temperature, 0 if seed is None else seed)


def generated(reading: Reading, here: SetState, panel: Panel, count: int, drawing: Drawing) -> Iterator[Hot]:
    """The next set of each document of a panel that was read up to `here`, one after the other: [documents, tokens]
    each; no unknown token is drawn. What is drawn for a document depends on its id, and not on others.
    """
    draws = [np.random.default_rng((drawing.seed, zlib.crc32(name.encode()))) for name in panel.ids]
    for _ in range(count):
        p = _scaled(following(reading.model, here), drawing.temperature)
        uniform = np.stack([draw.random(p.shape[1]) for draw in draws])
        hot: Hot = (uniform < p).astype(np.int8)
        hot[:, 0] = 0
        yield hot
        here = reading.went_on(_one_each(panel, hot))


def _scaled(p: Floats, temperature: float) -> Floats:
    p = np.clip(p, NEAREST, 1 - NEAREST)
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp((np.log1p(-p) - np.log(p)) / temperature)))


def _one_each(panel: Panel, hot: Hot) -> Panel:
    """The panel's documents with one set each."""
    return replace(panel, values=cast("Floats", hot), offsets=np.arange(len(panel) + 1))
