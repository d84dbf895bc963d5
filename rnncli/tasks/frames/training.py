"""From what a caller said to the plan of a training on frames, and from what it leaves to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.cells.named import convolves, refuse_bidirectional, refuse_unused_activation
from rnncli.data.frames.known import known_frames
from rnncli.data.frames.rows import described
from rnncli.data.load import Loaded
from rnncli.errors import UsageError
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.tasks.frames import plan as planning
from rnncli.tasks.frames.decide import mean_frame, scores, shares
from rnncli.tasks.frames.frame_model import FrameModel, grid, said
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.frames.task import TASK
from rnncli.tasks.plan import Plan, Sizes, Trained


def refuse_senseless(options: TrainOptions) -> None:
    """UsageError for options that exclude each other."""
    cell = options.get("cell") or planning.CELL
    refuse_bidirectional(cell, "the next frames must not be seen before they are said")
    convolves(cell)
    refuse_unused_activation(cell, options.get("activation"))
    if options.get("tbptt") is not None:
        raise UsageError(
            "--tbptt learns from stretches of a sequence, and frames are forecast after each",
            hint="--context says how many frames are seen",
        )


def planned(loaded: Loaded, options: TrainOptions) -> Plan[FrameSpec]:
    """The plan of a training: everything that is decided before its first step. UsageError or InputRefused."""
    given, panel = Sizes(**fields_given(Sizes, options)), loaded.panel
    cells, layers = planning.cells_for(panel.channels[0].shape, given)
    spec = planning.frame_spec(panel, cells, options)
    network = planning.network_spec(spec, cells, layers, given)
    training = planning.training_spec(panel, spec, network, given)
    return Plan(TASK, network, spec, training, refit=planning.refit_of(panel))


def planned_on(loaded: Loaded, start: FrameModel, options: TrainOptions) -> Plan[FrameSpec]:
    """A model's own network and spec, trained as long and as gently as a refit."""
    given, panel = Sizes(**fields_given(Sizes, options)), loaded.panel
    usual = planning.training_spec(panel, start.spec, start.network, given)
    gentle = planning.training_spec(panel, start.spec, start.network, given.gently(usual))
    return Plan(TASK, start.network, start.spec, gentle)


def planned_again(loaded: Loaded, model: FrameModel) -> Plan[FrameSpec]:
    """The plan of a model's training, once more on other frames and without a time budget."""
    training = replace(model.training, time_budget=None)
    return Plan(TASK, model.network, model.spec, training, refit=planning.refit_of(loaded.panel))


def inferred(loaded: Loaded, plan: Plan[FrameSpec]) -> str:
    """The inference in one line, printed before anything is trained."""
    assert loaded.frames is not None
    spec, network = plan.spec, plan.network
    told = f"the next {spec.horizon} after {spec.context}, {said(spec)}"
    width = f"{network.cell}, {network.layers} x {network.hidden}, grid {grid(spec)}"
    return f"{described(loaded.columns, loaded.frames)}; {told}; {width}"


def settled(loaded: Loaded, plan: Plan[FrameSpec], trained: Trained[FrameSpec], start: FrameModel | None) -> FrameModel:
    """The model, with what is recorded of its training."""
    del plan
    panel = loaded.panel
    record = {
        "rows": len(panel.targets),
        "observed": int(np.count_nonzero(~np.isnan(panel.targets))),
        "best_steps": list(trained.best_steps),
    } | scores(panel, trained)
    return _to_model(loaded, trained, record, start)


def refitted(loaded: Loaded, trained: Trained[FrameSpec]) -> FrameModel:
    """The model that a repeated training leaves, with an empty record."""
    return _to_model(loaded, trained, {}, None)


def unsettled(loaded: Loaded, trained: Trained[FrameSpec]) -> FrameModel:
    """The model that a training leaves which was not finished."""
    return _to_model(loaded, trained, {}, None)


def _to_model(
    loaded: Loaded, trained: Trained[FrameSpec], record: dict[str, Any], start: FrameModel | None
) -> FrameModel:
    plan = trained.plan
    known = known_frames(loaded) if start is None else start.known
    names = tuple(dict.fromkeys([*loaded.panel.ids, *(() if start is None else start.names)]))
    mean = mean_frame(loaded.panel)
    return FrameModel(
        plan.network, plan.spec, plan.training, known, trained.weights, names, mean, record, shares(trained)
    )
