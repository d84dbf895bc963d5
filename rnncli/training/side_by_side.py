"""Several streams of events at once, each on a thread of its own: PyTorch computes outside Python's lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def side_by_side(streams: Sequence[Iterator[T]], workers: int) -> Iterator[T]:
    """The next event of every stream, then the next of every one, until all have ended.

    All streams rest while an event is looked at, so that what they have made so far is whole then; and the order of
    events does not depend on which is faster.
    """
    if len(streams) == 1 or workers == 1:
        for stream in streams:
            yield from stream
        return
    live = list(streams)
    with ThreadPoolExecutor(min(workers, len(live)), initializer=_as_the_main_thread) as pool:
        while live:
            found = list(pool.map(lambda stream: next(stream, None), live))
            live = [stream for stream, event in zip(live, found, strict=True) if event is not None]
            for event in found:
                if event is not None:
                    yield event


def _as_the_main_thread() -> None:
    """Denormals are a setting of each thread."""
    torch.set_flush_denormal(True)
