"""A model as an ONNX file, for programs that are not written in Python, and the code that makes its inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Unpack

from numpy.typing import NDArray

from rnncli import files
from rnncli.arrays import Ints
from rnncli.errors import MissingDependency, UsageError
from rnncli.events import Listener, unheard
from rnncli.inference.onnx_file import OPSET, Graph, Put
from rnncli.options.types import ColumnOptions, Model
from rnncli.outline import Outline, shown
from rnncli.tasks.task import Model as Trained
from rnncli.workflows.arguments import public
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart

SCHEMA = "rnncli.export/1"
SUFFIX = ".onnx"
OUTPUT = "quantiles"


class Fed(Protocol):
    """What is put into the graph for some series, and which they are."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The series [n]."""

    @property
    def times(self) -> Ints:
        """The times that are forecast [n, horizon]: microseconds since 1970 in UTC, or whole steps."""

    @property
    def feeds(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names of the graph's inputs."""


@shown
@dataclass(frozen=True)
class Export:
    """A model as a graph: what is put in, the levels of what comes out, and the file, if one was written."""

    model: Trained
    puts: tuple[Put, ...]
    output: str | None = None
    bytes: int = 0

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the quantiles, the last axis of what comes out."""
        levels: tuple[float, ...] = self.model.spec.levels
        return levels

    def inputs(self, data: Any, future_data: Any = None, **options: Unpack[ColumnOptions]) -> Iterator[Fed]:
        """What is put in to forecast the rows that follow each series of the data, some series at a time, in NumPy;
        `future_data` are tables of what is known of these rows.

        SeriesRefused, InputRefused or UsageError, as `predict` raises them.
        """
        task: Any = self.model.task
        fed: Iterator[Fed] = task.fed(data, self.model, column_choices(options), unheard, future_data)
        return fed

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the file is, a line each."""
        horizon = self.model.spec.horizon
        returned = f"n x {horizon} x {len(self.levels)}, levels {', '.join(f'{level:g}' for level in self.levels)}"
        made = (("file", f"{self.output}, {self.bytes:,} bytes, opset {OPSET}"),) if self.output else ()
        return (
            *made,
            ("inputs", f"{len(self.puts)}; rnncli.export(MODEL).inputs(DATA) makes them"),
            (OUTPUT, returned),
        )

    def outline(self) -> Outline:
        """What the file is, and its inputs."""
        rows = [[put.name, put.dtype, " x ".join(map(str, put.shape))] for put in self.puts]
        return Outline("Export", self.facts(), ["input", "type", "shape"], rows)

    def to_json(self) -> Mapping[str, Any]:
        """The document behind `--json`."""
        horizon, levels = self.model.spec.horizon, list(self.levels)
        made = {"name": OUTPUT, "type": "float64", "shape": ["n", horizon, len(levels)], "levels": levels}
        return {
            "schema": SCHEMA,
            "output": self.output,
            "bytes": self.bytes,
            "opset": OPSET,
            "inputs": [put.to_json() for put in self.puts],
            "outputs": [made],
        }


@public
def export(model: Model, *, output: str | os.PathLike[str] | None = None, on_event: Listener | None = None) -> Export:
    """Write a model that forecasts as an ONNX graph; without `output`, say what would be put in and come out.

    The graph holds all that the model has learnt; `Export.inputs` makes what is put in, in NumPy alone. Raises
    UsageError, MissingDependency, ModelRefused or StorageFailed.
    """
    del on_event  # there is nothing that is not in the result
    if output is not None:
        keep_apart("export", {"model": model, "output": output})
        check_output(output)
    found = given(model).model
    task: Any = found.task
    if task.name != "forecast":
        raise UsageError(
            f"models that forecast can be exported, and this one makes {task.name}",
            hint="rnncli predict runs it, without PyTorch",
        )
    if task.unfitted(found):
        raise UsageError(
            "a model that fits itself to the data it is given has no graph of its own",
            hint="rnncli train DATA --warm-start base -o MODEL makes one of your data, which can be exported",
        )
    if output is None:
        return Export(found, task.puts(found))
    graph: Graph = task.graph(found)
    data = graph.to_bytes()
    files.atomic_write(output, data)
    return Export(found, graph.puts, os.fspath(output), len(data))


def check_output(output: str | os.PathLike[str]) -> None:
    """UsageError, MissingDependency or StorageFailed where no graph can be written there, before any work."""
    if Path(output).suffix.lower() != SUFFIX:
        raise UsageError(f"an ONNX file ends in {SUFFIX}, not {os.fspath(output)!r}")
    if find_spec("onnx") is None:
        raise MissingDependency("an ONNX file is written by the package onnx", hint="pip install 'rnncli[export]'")
    files.check_writable(output)
