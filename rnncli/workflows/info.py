"""The contents of a model file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.options import table
from rnncli.options.types import Model
from rnncli.outline import Outline, counted, metric_name, shown
from rnncli.tasks.task import Model as Trained
from rnncli.workflows.arguments import public
from rnncli.workflows.list_cells import sharing
from rnncli.workflows.model import given
from rnncli.workflows.search_told import told

SCHEMA = "rnncli.info/1"


@shown
@dataclass(frozen=True)
class Info:
    """A model's specs, columns, training record and sizes; it is taken wherever a model file is."""

    model: Trained
    bytes: int

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """One line each, for people."""
        model, record = self.model, self.model.record
        tested = (
            (name, ", ".join(f"{metric_name(k)} {_shown(v)}" for k, v in s.items()))
            for name, s in record.get("validation", {}).items()
        )
        rows = f"{record['rows']:,} rows, {record['observed']:,} observed" if "rows" in record else "unknown"
        return (
            *([("trained on", f"{counted(model.series, model.task.units)}, {rows}")] if model.series else []),
            *model.facts(),
            *((f"validation, {name}", text) for name, text in tested),
            *((("search", told(record["search"])),) if "search" in record else ()),
            ("shared weights", _shared(self.sharing, model.task.context(model.spec))),
            ("file", f"{self.bytes:,} bytes"),
        )

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Model", self.facts)

    @property
    def sharing(self) -> dict[str, int]:
        """Parameters of one member's recurrent layers, and of networks that would not share theirs over time."""
        model = self.model
        network, steps = model.network, model.task.context(model.spec)
        return sharing(network.cell, network.layers, (network.inputs, network.hidden), steps)

    @property
    def settings(self) -> dict[str, Any]:
        """What the file settles, under the names of the options that would say it."""
        model = self.model
        return model.settings() | table.settled({"network": model.network, "training": model.training})

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        model = self.model
        return {
            "schema": SCHEMA,
            "bytes": self.bytes,
            "task": model.task.name,
            **model.described(),
            "record": model.record,
            "parameters": model.parameters,
            "sharing": self.sharing,
            "series": model.series,
            "tensors": {name: list(weight.shape) for name, weight in model.weights.items()},
        }


@public
def info(model: Model) -> Info:
    """Read a model file. ModelRefused if anything about it is not sound."""
    found = given(model)
    return Info(found.model, found.size)


def _shared(found: dict[str, int], steps: int) -> str:
    return (
        f"{found['recurrent']:,} recurrent parameters; {found['untied']:,} with weights of their own at each of"
        f" {steps:,} steps, {found['dense_window']:,} in a dense network over all of them"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
