"""What a training gave: the model, how it did on rows that it had not seen, and what that means in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rnncli.errors import SeriesRefused
from rnncli.inference.forecaster import Forecaster
from rnncli.spec import Columns

SCHEMA = "rnncli.train/1"
NETWORK, SEASONAL, NAIVE = "network", "seasonal naive", "naive"
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Training:
    """A trained model and its file; `up_to_date` if the file was there already, made from the same request."""

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
        """MASE and WQL (NaN where undefined) of the network and the naive forecasts from the same origins; empty where
        no rows could be spared.
        """
        found = self.forecaster.record["validation"]
        return {
            name: {metric: math.nan if value is None else value for metric, value in found[name].items()}
            for name in (NETWORK, SEASONAL, NAIVE)
            if name in found
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
        return verdict(self.validation, self.validated_origins)

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
            "parameters": self.parameters,
            "best_steps": list(self.best_steps),
            "validation": model.record["validation"],
            "validated_origins": self.validated_origins,
            "verdict": self.verdict,
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def verdict(validation: Scores, origins: int) -> str:
    """What the validation says, also where it is not what one would like to hear."""
    if not validation or all(math.isnan(value) for value in validation[NETWORK].values()):
        return "the series are too short to tell whether the network is better than a naive forecast"
    rival = min((SEASONAL, NAIVE), key=lambda name: _score(validation[name]))
    wins = [validation[NETWORK][metric] < validation[rival][metric] for metric in ("mase", "wql")]
    figures = ", ".join(
        f"{metric.upper()} {validation[NETWORK][metric]:.3g} against {validation[rival][metric]:.3g}"
        for metric in ("mase", "wql")
    )
    what = {(True, True): "better", (False, False): "no better"}.get((wins[0], wins[1]), _DIVIDED[wins[0]])
    return f"the network is {what} than the {rival} forecast on held-out rows ({figures}; {_count(origins, 'origin')})"


_DIVIDED = {
    True: "better in its median, but not in its quantiles,",
    False: "better in its quantiles, but not in its median,",
}


def _score(scores: dict[str, float]) -> float:
    """MASE times WQL: a forecast must not win on one by losing on the other."""
    defined = [value for value in scores.values() if not math.isnan(value)]
    return math.prod(defined) if defined else math.inf


def _count(number: int, word: str) -> str:
    plural = word if number == 1 or word.endswith("s") else f"{word}s"
    return f"{number:,} {plural}"
