"""An array namespace that computes nothing and records ONNX nodes: what a formula over `xp` does, as a graph.

A formula that runs in NumPy and torch runs here on `Traced` arrays, and each operation becomes a node. What is known
already, such as weights, stays a NumPy array until it meets a traced one, and is then a constant of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = int | slice | None | EllipsisType
Shape = tuple[int | None, ...]
BODY = "body"  # the name of a loop's graph
_TO_THE_END = np.iinfo(np.int64).max


class Recorder:
    """The nodes of a graph in their order, and its constants; the graph around a loop keeps those of its body too."""

    def __init__(self, around: Recorder | None = None) -> None:
        self.nodes: list[Any] = []
        self.root: Recorder = self if around is None else around.root
        self.constants: dict[tuple[Any, ...], tuple[str, NDArray[Any]]] = {}
        self.named = 0

    def name(self, kind: str) -> str:
        """A name that nothing has yet."""
        self.root.named += 1
        return f"{kind.lower()}_{self.root.named}"

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a constant: one for all that are equal."""
        value = np.ascontiguousarray(value) if value.ndim else value
        key = (value.dtype.str, value.shape, value.tobytes())
        return self.root.constants.setdefault(key, (self.name("constant"), value))[0]

    def input(self, name: str, dtype: Any, shape: Shape) -> Traced:
        """An array that comes from outside."""
        return Traced(self, name, np.dtype(dtype), shape)

    def node(self, kind: str, inputs: Sequence[Any], dtype: Any, shape: Shape, **attributes: Any) -> Traced:
        """The one output of a new node, whose inputs are traced arrays, NumPy arrays or names."""
        return self.nodes_of(kind, inputs, [(dtype, shape)], **attributes)[0]

    def nodes_of(
        self, kind: str, inputs: Sequence[Any], made: Sequence[tuple[Any, Shape]], **attributes: Any
    ) -> list[Traced]:
        """The outputs of a new node."""
        from onnx import helper

        outputs = [Traced(self, self.name(kind), np.dtype(dtype), shape) for dtype, shape in made]
        names = [self._name_of(one) for one in inputs]
        self.nodes.append(helper.make_node(kind, names, [one.name for one in outputs], **attributes))
        return outputs

    def _name_of(self, one: Any) -> str:
        if isinstance(one, Traced):
            return one.name
        return one if isinstance(one, str) else self.constant(np.asarray(one))


@dataclass(frozen=True, eq=False)
class Traced:
    """An array of a graph that is being recorded: its name, its type, and its shape, None where that is not known."""

    recorder: Recorder
    name: str
    dtype: np.dtype[Any]
    shape: Shape
    __array_ufunc__ = None  # so that NumPy's arrays leave what they meet to the methods below

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def device(self) -> None:
        """No array of a graph is anywhere."""

    def _meets(self, kind: str, other: Any, *, turned: bool = False, dtype: Any = None) -> Traced:
        other = other if isinstance(other, Traced) else np.asarray(other, self.dtype)
        both = (other, self) if turned else (self, other)
        kept = self.dtype if dtype is None else dtype
        return self.recorder.node(kind, both, kept, broadcast(self.shape, other.shape))

    def __add__(self, other: Any) -> Traced:
        return self._meets("Add", other)

    def __sub__(self, other: Any) -> Traced:
        return self._meets("Sub", other)

    def __mul__(self, other: Any) -> Traced:
        return self._meets("Mul", other)

    def __truediv__(self, other: Any) -> Traced:
        return self._meets("Div", other)

    def __pow__(self, other: Any) -> Traced:
        return self._meets("Pow", other)

    def __radd__(self, other: Any) -> Traced:
        return self._meets("Add", other, turned=True)

    def __rsub__(self, other: Any) -> Traced:
        return self._meets("Sub", other, turned=True)

    def __rtruediv__(self, other: Any) -> Traced:
        return self._meets("Div", other, turned=True)

    def __rmul__(self, other: Any) -> Traced:
        return self._meets("Mul", other, turned=True)

    def __neg__(self) -> Traced:
        return self.recorder.node("Neg", [self], self.dtype, self.shape)

    def __gt__(self, other: Any) -> Traced:
        return self._meets("Greater", other, dtype=np.bool_)

    def __le__(self, other: Any) -> Traced:
        return self._meets("LessOrEqual", other, dtype=np.bool_)

    def __and__(self, other: Any) -> Traced:
        return self._meets("And", other)

    def sum(self, axis: int, keepdims: bool = False) -> Traced:  # noqa: FBT001, FBT002 as in NumPy
        """The sum over an axis."""
        return self.reduced("ReduceSum", axis, keepdims=keepdims)

    def mean(self, axis: int, keepdims: bool = False) -> Traced:  # noqa: FBT001, FBT002 as in NumPy
        """The mean over an axis."""
        return self.reduced("ReduceMean", axis, keepdims=keepdims)

    def reduced(self, kind: str, axis: int, *, keepdims: bool) -> Traced:
        """What becomes of an axis by a node that reduces it."""
        axis %= self.ndim
        kept = (1,) if keepdims else ()
        shape = (*self.shape[:axis], *kept, *self.shape[axis + 1 :])
        return self.recorder.node(kind, [self, np.array([axis])], self.dtype, shape, keepdims=int(keepdims))

    def astype(self, dtype: Any) -> Traced:
        """The array in another type."""
        from onnx.helper import np_dtype_to_tensor_dtype

        return self.recorder.node("Cast", [self], dtype, self.shape, to=np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Traced:
        found, axis = self, 0
        for one in _spelled(index if isinstance(index, tuple) else (index,), self.ndim):
            if one is None:
                found = found.with_axis(axis)
            elif isinstance(one, int):
                found = found.sliced(axis, slice(one, one + 1 if one != -1 else None)).without_axis(axis)
                continue
            elif one != slice(None):
                found = found.sliced(axis, one)
            axis += 1
        return found

    def with_axis(self, axis: int) -> Traced:
        """With one more axis, of size 1."""
        shape = (*self.shape[:axis], 1, *self.shape[axis:])
        return self.recorder.node("Unsqueeze", [self, np.array([axis])], self.dtype, shape)

    def without_axis(self, axis: int) -> Traced:
        """Without an axis of size 1."""
        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        return self.recorder.node("Squeeze", [self, np.array([axis])], self.dtype, shape)

    def sliced(self, axis: int, part: slice) -> Traced:
        """A part of an axis."""
        step = 1 if part.step is None else part.step
        begin = part.start if part.start is not None else 0 if step > 0 else -1
        end = part.stop if part.stop is not None else _TO_THE_END if step > 0 else -_TO_THE_END
        size = self.shape[axis]
        kept = None if size is None else len(range(*part.indices(size)))
        shape = (*self.shape[:axis], kept, *self.shape[axis + 1 :])
        bounds = (np.array([number]) for number in (begin, end, axis, step))
        return self.recorder.node("Slice", [self, *bounds], self.dtype, shape)


def _spelled(index: Sequence[Index], ndim: int) -> list[int | slice | None]:
    """An index without an ellipsis."""
    taken = sum(one is not None and one is not ... for one in index)
    spelled: list[int | slice | None] = []
    for one in index:
        spelled += [slice(None)] * (ndim - taken) if isinstance(one, EllipsisType) else [one]
    return spelled


def broadcast(*shapes: Sequence[int | None]) -> Shape:
    """The shape of what arrays of these shapes make together."""
    length = max(map(len, shapes))
    sizes = zip(*((*([1] * (length - len(shape))), *shape) for shape in shapes), strict=True)
    return tuple(next((size for size in column if size != 1), 1) for column in sizes)


def namespace(recorder: Recorder) -> Any:
    """The functions that the formulas call, for arrays of this recorder; of NumPy arrays alone they are NumPy's."""
    plain = {
        "Tanh": np.tanh,
        "Exp": np.exp,
        "Log": np.log,
        "Abs": np.abs,
        "Cos": np.cos,
        "Sin": np.sin,
        "Ceil": np.ceil,
    }
    pointwise = {kind.lower(): _pointwise(recorder, kind, function) for kind, function in plain.items()}
    linear = SimpleNamespace(linear=lambda x, weight, bias: _linear(recorder, x, weight, bias))
    return SimpleNamespace(
        **pointwise,
        log1p=lambda x: pointwise["log"](1 + x),
        isnan=_pointwise(recorder, "IsNaN", np.isnan, np.bool_),
        maximum=lambda one, other: _two(recorder, "Max", one, other),
        minimum=lambda one, other: _two(recorder, "Min", one, other),
        where=lambda which, one, other: _where(recorder, which, one, other),
        zeros_like=lambda x: np.zeros([1] * x.ndim, x.dtype),
        concatenate=lambda parts, axis: _concatenate(recorder, parts, axis),
        flip=lambda x, axes: x[..., ::-1] if axes == (-1,) else NotImplemented,
        cumsum=lambda x, axis: recorder.node("CumSum", [x, np.array(axis % x.ndim)], x.dtype, x.shape),
        arange=np.arange,
        inf=np.inf,
        einsum=lambda equation, one, other: _summed(recorder, equation, one, other),
        amax=lambda x, axis, keepdims: x.reduced("ReduceMax", axis, keepdims=keepdims),
        nn=SimpleNamespace(functional=linear),
        recorder=recorder,
    )


def _pointwise(recorder: Recorder, kind: str, function: Callable[..., Any], made: Any = None) -> Callable[..., Any]:
    def of(x: Any) -> Any:
        if not isinstance(x, Traced):
            return function(x)
        return recorder.node(kind, [x], x.dtype if made is None else made, x.shape)

    return of


def _two(recorder: Recorder, kind: str, one: Any, other: Any) -> Traced:
    dtype = next(array.dtype for array in (one, other) if isinstance(array, Traced))
    both = [array if isinstance(array, Traced) else np.asarray(array, dtype) for array in (one, other)]
    return recorder.node(kind, both, dtype, broadcast(*(array.shape for array in both)))


def _where(recorder: Recorder, which: Traced, one: Any, other: Any) -> Traced:
    dtype = next(array.dtype for array in (one, other) if isinstance(array, Traced))
    both = [array if isinstance(array, Traced) else np.asarray(array, dtype) for array in (one, other)]
    return recorder.node("Where", [which, *both], dtype, broadcast(which.shape, *(array.shape for array in both)))


def _concatenate(recorder: Recorder, parts: Sequence[Any], axis: int) -> Traced:
    """Parts one behind the other; of constants among them what stands for zeros is as wide as the others."""
    first = next(part for part in parts if isinstance(part, Traced))
    axis %= first.ndim
    whole: list[Traced] = [_as_wide(part, first, axis) for part in parts if 0 not in part.shape]
    if len(whole) == 1:
        return whole[0]
    sizes = [part.shape[axis] for part in whole]
    size = None if None in sizes else sum(number or 0 for number in sizes)
    shape = (*first.shape[:axis], size, *first.shape[axis + 1 :])
    return recorder.node("Concat", whole, first.dtype, shape, axis=axis)


def _as_wide(part: Any, like: Traced, axis: int) -> Traced:
    """A constant [1, ..., k, ..., 1] in the shape of a traced array, but for one axis."""
    if isinstance(part, Traced):
        return part
    nothing = like.sliced(axis, slice(0, 1)) * np.zeros((), like.dtype)
    wide: Traced = nothing + part
    return wide


def _linear(recorder: Recorder, x: Traced, weight: NDArray[Any], bias: NDArray[Any] | None) -> Traced:
    """x [..., K] times the transpose of weight [N, K], plus bias [N]."""
    product = recorder.node("MatMul", [x, weight.T], x.dtype, (*x.shape[:-1], len(weight)))
    return product if bias is None else product + bias


def _summed(recorder: Recorder, equation: str, one: Traced, other: Traced) -> Traced:
    """A product of two arrays, summed over axes, as `numpy.einsum` writes it: every axis of what is made has one of
    theirs.
    """
    terms, made = equation.split("->")
    sizes = {
        axis: size
        for term, part in zip(terms.split(","), (one, other), strict=True)
        for axis, size in zip(term, part.shape, strict=True)
    }
    return recorder.node("Einsum", [one, other], one.dtype, tuple(sizes[axis] for axis in made), equation=equation)


def looped(
    recorder: Recorder,
    begin: Sequence[Traced],
    over: Traced,
    step: Callable[[Any, Sequence[Traced], Traced], tuple[Sequence[Traced], Traced]],
) -> Traced:
    """The outputs [n, T, ...] of a recurrence over axis 1 of `over` [n, T, ...]: `step(xp, state, x)` gives the next
    state and an output, and is recorded once, as the body of a Scan.
    """
    from onnx import helper

    inner = Recorder(recorder)
    states = [inner.input(inner.name("state"), part.dtype, part.shape) for part in begin]
    x = inner.input(inner.name("step"), over.dtype, (over.shape[0], *over.shape[2:]))
    after, output = step(namespace(inner), states, x)
    made = [inner.node("Identity", [part], part.dtype, part.shape) for part in (*after, output)]
    body = helper.make_graph(inner.nodes, BODY, [*map(described, states), described(x)], [*map(described, made)])
    shape = (output.shape[0], over.shape[1], *output.shape[1:])
    return recorder.nodes_of(
        "Scan",
        [*begin, over],
        [*((part.dtype, part.shape) for part in begin), (output.dtype, shape)],
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_output_axes=[1],
    )[-1]


def described(array: Traced, axes: Sequence[str | None] = ()) -> Any:
    """An input or output of a graph, with names for the axes that have no fixed size."""
    from onnx import helper

    names = [*axes, *[None] * array.ndim]
    shape = [name if size is None else size for name, size in zip(names, array.shape, strict=False)]
    return helper.make_tensor_value_info(array.name, helper.np_dtype_to_tensor_dtype(array.dtype), shape)
