"""The training of the network that comes with the program, which can be broken off and gone on with."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of

from rnncli import files
from rnncli.checkpoint import refuse_to_replace_others
from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.events import Phase
from rnncli.model import save
from rnncli.nn.runtime import prepare
from rnncli.pretraining.lessons import Lessons, panel_of, spec_of
from rnncli.pretraining.prior import KINDS
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.network import network_inputs
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.training.events import Evaluated
from rnncli.training.fit import Run, begin, fit
from rnncli.training.session import drawn_weights

STEPS = 36_000
KEPT_EVERY = 120.0  # seconds
NOMINAL_HORIZON = 18
PHASE = Phase("pre-training")
_RUN = ("live", "average", "best", "first_moment", "second_moment")


def train(output: str, steps: int, hidden: int, seed: int, keep_every: float) -> None:
    """Train, keeping what was reached beside the output every so many seconds, and write the model file."""
    prepare(1)
    spec = _nominal()
    network = NetworkSpec(
        cell="lstm",
        activation="tanh",
        layers=1,
        hidden=hidden,
        dropout=0.0,
        residual=True,
        init="chrono:24",
        inputs=network_inputs(spec, _panel().calendar)[0],
        members=1,
    )
    training = TrainingSpec(steps, 64, 3e-3, 0.01, 1.0, seed, 0.995, min(500, max(100, steps // 20)))
    lessons, partial = Lessons(network, training), Path(f"{output}.partial")
    refuse_to_replace_others(output)
    asked = [steps, hidden, seed]
    run = _gone_on_with(partial, asked) if partial.exists() else begin(drawn_weights(lessons.plan(spec), seed))
    kept = time.monotonic()
    for event in fit(run, lessons, training, PHASE):
        if isinstance(event, Evaluated):
            sys.stderr.write(f"step {event.step:,}: loss {event.loss:.4f}, held out {event.score:.4f}\n")
            sys.stderr.flush()
        if time.monotonic() - kept > keep_every:
            _keep(partial, run, asked)
            kept = time.monotonic()
    weights = {name: tensor.numpy().astype(np.float32)[None] for name, tensor in run.best.items()}
    columns = Columns(time="ds", id=None, target="y")
    save(output, Forecaster(network, spec, training, columns, _panel().calendar, weights, {}, {}))
    partial.unlink(missing_ok=True)


def _panel() -> Panel:
    return panel_of(KINDS[3], np.random.default_rng(0), 16)


def _nominal() -> ForecastSpec:
    """A spec that stands for all: what is in it of data, other data change."""
    panel = _panel()
    return replace(spec_of(panel, NOMINAL_HORIZON), spread_prior=1.0, spread_unit=1.0, floor=None, whole=False)


def _keep(path: Path, run: Run, asked: list[int]) -> None:
    tensors = {f"{part}.{name}": t.detach() for part in _RUN for name, t in getattr(run, part).items()}
    facts = [run.step, run.best_step, run.best_score, run.since_best, run.seconds]
    tensors["facts"] = torch.tensor(facts, dtype=torch.float64)
    tensors["asked"] = torch.tensor(asked)
    tensors["losses"] = torch.tensor(run.losses, dtype=torch.float64)
    files.atomic_write(path, bytes_of({name: t.contiguous().clone() for name, t in tensors.items()}))


def _gone_on_with(path: Path, asked: list[int]) -> Run:
    """The run that was kept. UsageError if it is one of other arguments."""
    tensors = tensors_of(path.read_bytes())
    if tensors["asked"].tolist() != asked:
        raise UsageError("it was begun with other arguments", where=str(path), hint="say those again, or remove it")
    step, best_step, best_score, since_best, seconds = tensors["facts"].tolist()
    live, average, best, first, second = (_under(tensors, f"{part}.") for part in _RUN)
    run = Run(live, average, best, first, second)
    for weight in run.live.values():
        weight.requires_grad_()
    run.step, run.best_step, run.best_score = int(step), int(best_step), best_score
    run.since_best, run.seconds, run.losses = int(since_best), seconds, tensors["losses"].tolist()
    return run


def _under(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): t.clone() for name, t in tensors.items() if name.startswith(prefix)}
