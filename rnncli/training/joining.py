"""How a process joins the others of its training, and which of them says what went wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from rnncli import launched
from rnncli.errors import RankLost, UsageError
from rnncli.training.ranks import ALONE, PATIENCE, Ranks

_AGENTS = "TORCHELASTIC_USE_AGENT_STORE"  # the store of keys lives in torchrun, and outlives each rank
_SOON = timedelta(seconds=10)
_POLLED = 0.05  # seconds


class _State:
    """What is known of the one training that a process can take part in."""

    store: Any = None
    tells: bool | None = None


_state = _State()


@contextmanager
def joined(device: str | None, longer: float = 0.0) -> Iterator[Ranks]:
    """Be one of the ranks that the environment says, for which others wait up to `longer` seconds more; alone if it
    says nothing. RankLost if they do not come; UsageError for a device that several processes cannot share.

    An exception ends this rank's part in it: which of the ranks tells of theirs is decided first.
    """
    place = launched.place()
    if place is None:
        yield ALONE
        return
    _state.tells = None
    ranks = Ranks(place.rank, place.size)
    _join(place, device, PATIENCE + timedelta(seconds=longer))
    launched.agree_by(ranks.greatest)
    try:
        yield ranks
    except Exception:
        tells()
        raise
    except BaseException:  # asked to stop, as all are: the first one keeps what there is
        ranks.outlast_the_first()
        raise
    finally:
        launched.agree_by(None)
        dist.destroy_process_group()
        _state.store = None


def tells() -> bool:
    """Whether this process says what went wrong: the first that fails does, and the others are silent."""
    if _state.tells is None:
        _state.tells = _first_to_fail()
    return _state.tells


def _first_to_fail() -> bool:
    store = _state.store
    if store is None:
        if os.environ.get(_AGENTS) != "True":
            return True
        with suppress(RuntimeError, ValueError, OSError):
            store = _under(os.environ.get("TORCHELASTIC_RESTART_COUNT", ""), _store(_SOON))
    if store is None:
        return True
    try:
        return int(store.add("failed", 1)) == 1
    except RuntimeError:
        return True


def _store(patience: timedelta) -> Any:
    """The keys that all ranks of this attempt share."""
    store, _, _ = next(rendezvous("env://", timeout=patience))
    return store


def _under(prefix: str, store: Any) -> Any:
    """Keys of this program's own."""
    return dist.PrefixStore(f"rnncli/{prefix}", store)  # type: ignore[attr-defined]


def _met(store: Any, place: launched.Place, patience: timedelta) -> str:
    """A name for what the ranks that are here now share. Torchrun keeps the keys of processes that it started again, so
    each rank goes on only when the first one answers it by the number that it has just drawn. TimeoutError.
    """
    own, end = uuid.uuid4().hex, time.monotonic() + patience.total_seconds()
    if place.rank == 0:
        store.set("rnncli/round", own)
    while time.monotonic() < end:
        name = store.get("rnncli/round").decode() if store.check(["rnncli/round"]) else ""
        answer, asked = f"rnncli/met/{name}", [f"rnncli/here/{name}/{rank}" for rank in range(place.size)]
        if name:
            store.set(asked[place.rank], own)
        if place.rank == 0 and store.check(asked):
            store.set(answer, b",".join(store.get(key) for key in asked))
        if name and store.check([answer]) and own in store.get(answer).decode().split(","):
            return name
        time.sleep(_POLLED)
    raise TimeoutError("they were waited for in vain")


def _join(place: launched.Place, device: str | None, patience: timedelta) -> None:
    if not dist.is_available():
        raise UsageError("this PyTorch has no torch.distributed", hint="install one that has, or train in one process")
    backend = "gloo"
    if device is not None and device.startswith("cuda"):
        _own_gpu(place, torch.device(device))
        backend = "cpu:gloo,cuda:nccl"
    with _ended_by_signals():
        try:
            store = _store(patience)
            _state.store = _under(_met(store, place, patience), store)
            dist.init_process_group(
                backend, store=_state.store, rank=place.rank, world_size=place.size, timeout=patience
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise RankLost(
                f"not all of the {place.size} processes of this training came: {str(error).splitlines()[0]}",
                hint="look for what the others said, and whether MASTER_ADDR and MASTER_PORT can be reached",
            ) from error


def _own_gpu(place: launched.Place, device: torch.device) -> None:
    if device.index is not None:
        raise UsageError(f"several processes cannot share --device {device}", hint="--device cuda: each takes its own")
    count = torch.cuda.device_count()
    if place.local_rank >= count:
        raise UsageError(
            f"there are {place.local_size} processes and {count} GPUs on this machine",
            hint=f"--nproc-per-node {count or 1}" if count else "leave --device out to train on the CPU",
        )
    torch.cuda.set_device(place.local_rank)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end a process at once that waits for others: nothing is there yet to be kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def cpus_of(cpus: int) -> int:
    """The part of a machine's CPUs that is this rank's."""
    place = launched.place()
    return cpus if place is None else max(1, cpus // place.local_size)
