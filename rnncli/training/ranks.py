"""Several processes (ranks) that train one network: each has a share of every batch, and all have the same weights.

The loss of a batch is a mean over its questions of which the answer is known, c_r of them in the share of rank r:

    L = sum_r c_r L_r / sum_r c_r,    dL/dw = sum_r c_r dL_r/dw / sum_r c_r

so that loss and gradient are those of the whole batch, however its questions are spread. Numbers that decide something
are those of the first rank, which alone writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from rnncli.arrays import Floats
from rnncli.errors import InputRefused, RankLost, UsageError

T = TypeVar("T")
PATIENCE = timedelta(minutes=10)  # for a rank that others wait for: it may read its data more slowly


@dataclass(frozen=True)
class Ranks:
    """The ranks of a training, of which this process is one: number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that decides and writes."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Which of so many crops are this rank's. UsageError if there is none for some rank."""
        if count < self.size:
            raise UsageError(
                f"a batch of {count} cannot be divided among {self.size} processes", hint="a larger --batch, or fewer"
            )
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def averaged(self, weights: Mapping[str, Tensor], loss: Tensor, count: float) -> Tensor:
        """The loss of the whole batch, from the mean `loss` of `count` questions of each rank; the gradients of the
        weights become those of the whole batch. A weight without one anywhere keeps none.
        """
        if self.size == 1:
            return loss
        told = torch.tensor([count, *(weight.grad is not None for weight in weights.values())], device=loss.device)
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights.values()]
        flat = torch.cat([count * part.reshape(-1) for part in [loss.detach(), *gradients]])
        flat = self._sum(torch.cat([told.to(flat.dtype), flat]))
        total, there, mean = flat[0].clamp(min=1), flat[1 : len(told)].tolist(), flat[len(told) :]
        mean = mean / total
        begin = 1
        for present, weight in zip(there, weights.values(), strict=True):
            weight.grad = mean[begin : begin + weight.numel()].view_as(weight) if present else None
            begin += weight.numel()
        return mean[0]

    def whole(self, parts: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """The states [parts, count, ...] of all crops, from those of each rank's share."""
        if self.size == 1:
            return dict(parts)
        mine = self.share(count)
        found = {name: part.new_zeros((len(part), count, *part.shape[2:])) for name, part in parts.items()}
        for name, part in parts.items():
            found[name][:, mine] = part
            found[name] = self._sum(found[name])
        return found

    def together(self, own: Mapping[int, Floats], counts: Sequence[int]) -> Floats:
        """Arrays [counts[i], ...] one after the other, each of which one rank has; the first one the first rank."""
        if self.size == 1:
            return np.concatenate([own[i] for i in range(len(counts))])
        shape = self.numbers([own[0].ndim, *own[0].shape[1:]] if self.first else [], 8)
        begins = np.concatenate([[0], np.cumsum(counts)])
        every = np.zeros((int(begins[-1]), *(int(size) for size in shape[1 : int(shape[0])])))
        for i, part in own.items():
            every[begins[i] : begins[i + 1]] = part
        return np.asarray(self._sum(torch.from_numpy(every)).numpy())

    def numbers(self, own: Sequence[float], count: int | None = None) -> list[float]:
        """The numbers that the first rank has: as many as this one has, or up to `count`, filled up with 0."""
        if self.size == 1:
            return list(own)
        size = len(own) if count is None else count
        every = torch.zeros(size, dtype=torch.float64)
        every[: len(own)] = torch.tensor(list(own), dtype=torch.float64)
        _held(dist.broadcast, every, 0)
        return [float(number) for number in every.tolist()]

    def score(self, own: float | None) -> float | None:
        """The score that the first rank has."""
        found = self.numbers([math.nan if own is None else own])[0]
        return None if math.isnan(found) and (self.size > 1 or own is None) else found

    def greatest(self, own: int) -> int:
        """The greatest number that a rank has."""
        if self.size == 1:
            return own
        number = torch.tensor([own])
        _held(dist.all_reduce, number, dist.ReduceOp.MAX)
        return int(number)

    def data(self, own: bytes) -> bytes:
        """The bytes that the first rank has."""
        if self.size == 1:
            return own
        size = int(self.numbers([len(own)])[0])
        every = torch.frombuffer(bytearray(own), dtype=torch.uint8) if self.first and own else None
        found = torch.zeros(size, dtype=torch.uint8) if every is None else every
        if size:
            _held(dist.broadcast, found, 0)
        return found.numpy().tobytes()

    def weights(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights that the first rank has: drawn from one seed, on other machines they may be others."""
        for weight in own.values() if self.size > 1 else ():
            _held(dist.broadcast, weight, 0)
        return dict(own)

    def refuse_others(self, request: str) -> None:
        """InputRefused on every rank if one was asked for another training, or reads other data."""
        if self.greatest(int(self.data(request.encode()) != request.encode())):
            raise InputRefused(
                "the processes do not train on the same",
                hint="each needs the same files, options and versions of the program, NumPy and PyTorch",
            )

    def outlast_the_first(self) -> None:
        """Wait until the first rank has ended: whoever starts ranks ends all when one of them does."""
        if not self.first:
            try:
                self.greatest(0)
            except RankLost:
                return

    def _sum(self, every: Tensor) -> Tensor:
        _held(dist.all_reduce, every)
        return every


ALONE = Ranks()


def _held(collective: Any, *arguments: Any) -> None:
    """Run a collective. RankLost if another rank does not take part."""
    try:
        collective(*arguments)
    except RuntimeError as error:
        raise RankLost(
            "another process of this training ended, or cannot be reached",
            hint="what it said before, or the log of its machine, says why; the same command goes on",
        ) from error
