"""Networks with a fault that is known, on real series: what a case is, how it is made, and what is said of it.

A case is made from a sample file or made-up series, options of `train`, and edits of the panel or the weights. Cases
are lists called CASES in the files of `cases/`; a new file there is run with the others.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from remembering import (
    OPTIONS,
    announced_by_hour,
    announced_by_month,
    announced_jobs,
    latched_by_month,
    marked_by_hour,
    summed_by_hour,
    summed_by_month,
)
from torch import Tensor

from rnncli.data.load import Loaded
from rnncli.diagnostics.report import GradientReport
from rnncli.events import Phase, unheard
from rnncli.nn.runtime import prepared
from rnncli.tasks.forecast.reading import load_new
from rnncli.training.fit import begin, fit
from rnncli.training.session import initial_weights
from rnncli.workflows.options import column_choices
from rnncli.workflows.probe import FULL, QUICK, Probe
from rnncli.workflows.train import make_plan

SAMPLES = Path(__file__).resolve().parents[3] / "sample_data"
Source = tuple[str | Callable[[], pa.Table], Mapping[str, Any]]
REMEMBERED: dict[str, Source] = {
    "announced by hour": (announced_by_hour, OPTIONS | {"season": 24}),
    "announced by month": (announced_by_month, OPTIONS | {"season": 12}),
    "summed by hour": (summed_by_hour, OPTIONS | {"season": 24}),
    "summed by month": (summed_by_month, OPTIONS | {"season": 12}),
    "marked by hour": (marked_by_hour, OPTIONS | {"season": 24}),
    "latched by month": (latched_by_month, OPTIONS | {"season": 12}),
    "announced jobs": (announced_jobs, OPTIONS | {"season": 12}),
}
"""Series whose answer only memory can give."""
DATA: dict[str, Source] = REMEMBERED | {
    "co2": ("co2_weekly.csv", {}),
    "jobs": ("us_employment.csv", {}),
    "bikes": ("bike_rentals.parquet", {"target": "rentals"}),
    "sea": ("sea_temperature.csv.gz", {"zone": "UTC"}),
}

Weights = dict[str, Tensor]
Plant = Callable[[Weights], None]
Spoil = Callable[[NDArray[np.float64], NDArray[np.int64]], None]


@dataclass(frozen=True)
class Case:
    """One network: `expected` are the diagnoses that are right, the first the one it is filed under.

    `steps` of training come before `plant` edits the weights in place; `spoil(values, offsets)` edits the targets.
    """

    name: str
    expected: tuple[str, ...]
    data: str
    options: Mapping[str, Any] = field(default_factory=dict)
    plant: Plant | None = None
    spoil: Spoil | None = None
    steps: int = 0


def cases(files: Iterable[str] = ("*",)) -> list[Case]:
    """Every case of these files of `cases/` (patterns without .py), by file and place."""
    found: list[Case] = []
    folder = Path(__file__).parent / "cases"
    for path in sorted({path for name in files for path in folder.glob(f"{name}.py")}):
        spec = importlib.util.spec_from_file_location(f"planted_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.CASES
    return found


def loaded_for(case: Case) -> Loaded:
    """The case's series, spoilt if it says so."""
    source, options = DATA[case.data]
    given = str(SAMPLES / source) if isinstance(source, str) else source()
    loaded = load_new(given, column_choices(options), options, unheard)
    if case.spoil is not None:
        values = loaded.panel.values.copy()
        case.spoil(values[:, 0], loaded.panel.offsets)
        loaded = replace(loaded, panel=replace(loaded.panel, values=values))
    return loaded


def probe_of(case: Case, loaded: Loaded, seed: int = 0) -> Probe:
    """The network with its fault, which begins from scratch. Planted weights are not those that training begins with:
    they are a model's.
    """
    plan = make_plan(loaded, {"seed": seed, "from_scratch": True, **case.options})
    weights = initial_weights(plan, seed)
    if case.steps:
        weights = _trained(Probe(loaded.panel, plan, weights, trained=False), case.steps)
    if case.plant is not None:
        with torch.no_grad():
            case.plant(weights)
    trained = bool(case.steps) or case.plant is not None or plan.first is not None
    return Probe(loaded.panel, plan, weights, trained=trained)


def _trained(probe: Probe, steps: int) -> Weights:
    run, training = begin(dict(probe.weights)), replace(probe.plan.training, steps=steps, evaluate_every=steps + 1)
    for _ in fit(run, replace(probe.objective(), holdout=None), training, Phase("planting")):
        pass
    return {name: weight.detach().clone() for name, weight in run.live.items()}


def report_on(case: Case, seed: int = 0, *, quick: bool = True) -> GradientReport:
    """What the doctor says."""
    with prepared(1):
        probe = probe_of(case, loaded_for(case), seed)
        return GradientReport.of(probe.evidence(QUICK if quick else FULL))
