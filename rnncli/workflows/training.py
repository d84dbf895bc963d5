"""What a training gave: the model, how it did on rows that it had not seen, and what that means in one sentence."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnncli import checkpoint
from rnncli.errors import SeriesRefused
from rnncli.inference.forecaster import Forecaster
from rnncli.outline import Outline, shown
from rnncli.spec import Columns
from rnncli.tasks.forecast.pool import NETWORK, Pool

SCHEMA = "rnncli.train/1"
SHOWN = (NETWORK, "seasonal naive")  # of the scores, beside the verdict
Scores = dict[str, dict[str, float]]


@shown
@dataclass(frozen=True)
class Training:
    """A trained model and its file; `up_to_date` if the file was there already, made from the same request.

    It is taken wherever a model file is.
    """

    forecaster: Forecaster
    output: str | None
    bytes: int
    notes: tuple[str, ...]
    skipped: tuple[SeriesRefused, ...] = ()
    up_to_date: bool = False

    @property
    def series(self) -> int:
        """How many series it was trained on."""
        return len(self.forecaster.cutoffs)

    @property
    def rows(self) -> int:
        """Their rows, steps that are absent from the data among them."""
        return int(self.forecaster.record["rows"])

    @property
    def observed(self) -> int:
        """Rows with a target."""
        return int(self.forecaster.record["observed"])

    @property
    def best_steps(self) -> tuple[int, ...]:
        """The best step of each member's search."""
        return tuple(self.forecaster.record["best_steps"])

    @property
    def validation(self) -> Scores:
        """MASE and WQL (NaN where undefined) of the forecast, its network and the baselines from the same origins;
        empty where no rows could be spared.
        """
        found = self.forecaster.record["validation"]
        return {
            name: {metric: math.nan if value is None else value for metric, value in found[name].items()}
            for name in found
        }

    @property
    def validated_origins(self) -> int:
        """From how many origins."""
        return int(self.forecaster.record["validated_origins"])

    @property
    def columns(self) -> Columns:
        """What the columns are."""
        return self.forecaster.columns

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return self.forecaster.parameters

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What was inferred and chosen, one line each."""
        observed = f", {self.rows - self.observed:,} missing" if self.observed < self.rows else ""
        return (("data", f"{_count(self.series, 'series')}, {self.rows:,} rows{observed}"), *self.forecaster.facts())

    @property
    def verdict(self) -> str:
        """In one sentence, whether the network is worth having."""
        return verdict(self.forecaster.record, self.forecaster.pool)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes.

        OutputExists where there is a file that is no model, OutputLocked or StorageFailed.
        """
        checkpoint.refuse_to_replace_others(path)
        return self.forecaster.save(path)

    def outline(self) -> Outline:
        """What the model is, how it did, and where it is."""
        kept = f"{self.output}, {self.bytes:,} bytes" if self.output else "none yet: save(path) writes one"
        scores = [(name, _scored(found)) for name, found in self.validation.items() if name in SHOWN]
        return Outline("Training", (*self.facts, *scores, ("verdict", self.verdict), ("file", kept)))

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        model = self.forecaster
        return {
            "schema": SCHEMA,
            "output": self.output,
            "bytes": self.bytes,
            "up_to_date": self.up_to_date,
            "series": self.series,
            "rows": self.rows,
            "observed": self.observed,
            "columns": model.columns.to_json(),
            "frequency": str(model.calendar.frequency),
            "seasons": list(model.calendar.seasons),
            "zone": model.calendar.zone,
            "network": model.network.to_json(),
            "forecast": model.forecast.to_json(),
            "training": model.training.to_json(),
            "time_budget": model.record.get("time_budget"),
            "parameters": self.parameters,
            "best_steps": list(self.best_steps),
            "validation": model.record["validation"],
            "validated_origins": self.validated_origins,
            "comparisons": model.record["comparisons"],
            "covariates": model.record.get("covariates"),
            "pool": model.pool.to_json(),
            "verdict": self.verdict,
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def _scored(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name.upper()} {value:.4g}" for name, value in found.items())


def verdict(record: Mapping[str, Any], pool: Pool) -> str:
    """What the validation says, also where it is not what one would like to hear."""
    validation, origins = record["validation"], record["validated_origins"]
    if not validation or all(value is None for value in validation[NETWORK].values()):
        return "the series are too short to tell whether the network is better than a naive forecast"
    found = record["comparisons"][NETWORK]
    scored = validation[NETWORK], validation[found["rival"]]
    wins = _lower(*(s["mase"] for s in scored)), _lower(*(s["wql"] for s in scored))
    figures = [
        f"{metric.upper()} {_shown(scored[0][metric])} against {_shown(scored[1][metric])}"
        for metric in ("mase", "wql")
    ]
    figures += [_count(origins, "origin"), *([] if found["p"] is None else [f"p = {found['p']:.2g}"])]
    what = {(True, True): "better", (False, False): "no better"}.get(wins, _DIVIDED[wins[0]])
    unsure = " (but this may be chance)" if any(wins) and (found["p"] is None or found["p"] > ALPHA) else ""
    return (
        f"the network is {what}{unsure} than the {found['rival']} forecast on held-out rows ({', '.join(figures)}); "
        f"the forecast is {pool}"
    )


ALPHA = 0.05
_DIVIDED = {
    True: "better in its median, but not in its quantiles,",
    False: "better in its quantiles, but not in its median,",
}


def _lower(one: float | None, other: float | None) -> bool:
    return one is not None and (other is None or one < other)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"


def _count(number: int, word: str) -> str:
    plural = word if number == 1 or word.endswith("s") else f"{word}s"
    return f"{number:,} {plural}"
