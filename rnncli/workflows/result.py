"""The result of a training: the model, its scores on held-out rows, and a verdict in one sentence."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnncli import checkpoint
from rnncli.errors import SeriesRefused
from rnncli.outline import Outline, counted, metric_name, shown
from rnncli.spec import Columns
from rnncli.tasks.task import Model

SCHEMA = "rnncli.train/1"
Scores = dict[str, dict[str, float]]


@shown
@dataclass(frozen=True)
class Training:
    """A trained model and its file; `up_to_date` if the file was there already, made from the same request.

    It is taken wherever a model file is.
    """

    model: Model
    output: str | None
    bytes: int
    notes: tuple[str, ...]
    skipped: tuple[SeriesRefused, ...] = ()
    up_to_date: bool = False

    @property
    def series(self) -> int:
        """The number of series that it was trained on."""
        return self.model.series

    @property
    def rows(self) -> int:
        """Their rows, steps that are absent from the data among them."""
        return int(self.model.record["rows"])

    @property
    def observed(self) -> int:
        """Rows with a target."""
        return int(self.model.record["observed"])

    @property
    def best_steps(self) -> tuple[int, ...]:
        """The best step of each member's search."""
        return tuple(self.model.record["best_steps"])

    @property
    def validation(self) -> Scores:
        """MASE and WQL (NaN where undefined) of the forecast, its network and the baselines from the same origins;
        empty where no rows could be spared.
        """
        found = self.model.record["validation"]
        return {
            name: {metric: math.nan if value is None else value for metric, value in found[name].items()}
            for name in found
        }

    @property
    def validated_origins(self) -> int:
        """The number of origins that these scores are from."""
        return int(self.model.record["validated_origins"])

    @property
    def columns(self) -> Columns:
        """What the columns are."""
        return self.model.columns

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return self.model.parameters

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What was inferred and chosen, one line each."""
        observed = f", {self.rows - self.observed:,} missing" if self.observed < self.rows else ""
        return (
            ("data", f"{counted(self.series, self.model.task.units)}, {self.rows:,} rows{observed}"),
            *self.model.facts(),
        )

    @property
    def verdict(self) -> str:
        """One sentence that says whether the network is better than simple forecasts."""
        return self.model.task.verdict(self.model)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes.

        OutputExists where there is a file that is no model, OutputLocked or StorageFailed.
        """
        checkpoint.refuse_to_replace_others(path)
        return self.model.save(path)

    def outline(self) -> Outline:
        """What the model is, how it did, and where it is."""
        kept = f"{self.output}, {self.bytes:,} bytes" if self.output else "none yet: save(path) writes one"
        scores = [(name, _scored(found)) for name, found in self.validation.items()]
        return Outline("Training", (*self.facts, *scores, ("verdict", self.verdict), ("file", kept)))

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        model = self.model
        return {
            "schema": SCHEMA,
            "output": self.output,
            "bytes": self.bytes,
            "up_to_date": self.up_to_date,
            "series": self.series,
            "rows": self.rows,
            "observed": self.observed,
            **model.described(),
            "time_budget": model.record.get("time_budget"),
            "parameters": self.parameters,
            "best_steps": list(self.best_steps),
            "validation": model.record["validation"],
            "validated_origins": self.validated_origins,
            "comparisons": model.record["comparisons"],
            **model.task.outcome(model),
            "verdict": self.verdict,
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def _scored(found: Mapping[str, float]) -> str:
    return ", ".join(f"{metric_name(name)} {value:.4g}" for name, value in found.items())
