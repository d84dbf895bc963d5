"""An ONNX file: a graph that is recorded, with what is put in, what comes out, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import rnncli
from rnncli.inference.tracing import Recorder, Traced, described, namespace

OPSET, IR = 18, 9  # what runtimes since early 2023 read
GRAPH = "forecast"


class Put(NamedTuple):
    """An input of a graph: its name, NumPy type and shape, in which a text names an axis of any size, and its
    meaning.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    means: str

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {"name": self.name, "type": self.dtype, "shape": list(self.shape), "means": self.means}


class Graph:
    """A graph with these inputs: formulas are called with `arrays` and `xp`, and what they make is returned."""

    def __init__(self, puts: Sequence[Put]) -> None:
        self.puts = tuple(puts)
        self._recorder = Recorder()
        self.arrays = {put.name: self._recorder.input(put.name, put.dtype, _fixed(put)) for put in puts}
        self.xp = namespace(self._recorder)
        self.returned: list[Traced] = []
        self._facts: dict[str, str] = {}

    def returns(self, name: str, found: Traced) -> None:
        """Have an output of this name."""
        from onnx import helper

        self._recorder.nodes.append(helper.make_node("Identity", [found.name], [name]))
        self.returned.append(self._recorder.input(name, found.dtype, found.shape))

    def about(self, **facts: str) -> Self:
        """The graph with facts in its file."""
        self._facts |= facts
        return self

    def to_bytes(self) -> bytes:
        """The bytes of its file, the same ones from the same model and version of onnx."""
        from onnx import checker, helper, numpy_helper

        constants = [numpy_helper.from_array(value, name) for name, value in self._recorder.constants.values()]
        inputs = [described(self.arrays[put.name], _names(put)) for put in self.puts]
        returned = [described(one, ("n",)) for one in self.returned]
        graph = helper.make_graph(self._recorder.nodes, GRAPH, inputs, returned, constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR,
            producer_name="rnncli",
            producer_version=rnncli.__version__,
        )
        helper.set_model_props(model, self._facts)
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def _fixed(put: Put) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in put.shape)


def _names(put: Put) -> tuple[str | None, ...]:
    return tuple(size if isinstance(size, str) else None for size in put.shape)
