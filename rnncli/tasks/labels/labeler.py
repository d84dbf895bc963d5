"""A model that labels sequences, and what it says of a panel, in NumPy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.labels.known import KnownLabels
from rnncli.data.panel import Panel
from rnncli.layers.encoder import outputs
from rnncli.options.table import settled
from rnncli.outline import Outline, shown
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.labels import head
from rnncli.tasks.labels.decide import tempered
from rnncli.tasks.labels.examples import examples
from rnncli.tasks.labels.spec import LabelSpec, Pictures
from rnncli.tasks.seen import Seen, Weights, head_weights
from rnncli.tasks.trained_model import TrainedModel

NAMED = 10  # classes or channels in a line


@shown
@dataclass(frozen=True)
class Labeler(TrainedModel[LabelSpec]):
    """A trained model: specs, weights [members, ...], what it knows of its data, the ids of the sequences that it
    learnt from, and the temperature of its classes.
    """

    of_task = "labels"
    network: NetworkSpec
    spec: LabelSpec
    training: TrainingSpec
    known: KnownLabels
    weights: dict[str, NDArray[np.float32]]
    names: tuple[str, ...]
    record: dict[str, Any]
    temperature: float = 1.0

    @property
    def columns(self) -> Columns:
        """The columns of its data, and their roles."""
        return self.known.columns

    @property
    def series(self) -> int:
        """The number of sequences that it was trained on."""
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the label; none where it is a number."""
        return self.known.label.vocabulary

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Labeler", (("trained on", f"{len(self.names):,} sequences"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        spec, training, columns = self.spec, self.training, self.columns
        truncated = f", tbptt {training.tbptt}" if training.tbptt else ""
        time = f"time {' and '.join(columns.times)}, " if columns.times else ""
        every = "each step" if spec.stride == 1 else f"each {spec.stride} steps"
        frames = "step by step" if spec.window == 1 else f"in frames of {spec.window} steps, one {every}"
        frames += f", in rows of {spec.raster} values" if spec.raster > 1 else ""
        if spec.pictures is not None:
            frames = f"{spec.window} frame{'s' * (spec.window > 1)} at a time, {every.replace('step', 'frame')}"
        read = ("channels", _named([channel.name for channel in self.known.inputs]))
        if spec.pictures is not None:
            read = ("frames", seen_of(spec.pictures))
        return (
            ("columns", f"{time}id {' and '.join(columns.ids) or '-'}"),
            ("label", f"{self.known.label.name}, {'one a step' if spec.per_step else 'one a sequence'}: {self._kind}"),
            read,
            ("seen", f"{frames}" + (", online" if spec.online else "")),
            ("network", self.sizes()),
            ("pooling", "the output of the step" if spec.per_step else spec.poolings[0]),
            ("training", f"{training.steps} steps, batch {training.batch}, seed {training.seed}{truncated}"),
            *((("temperature", f"{self.temperature:.3g}"),) if spec.classes else ()),
        )

    @property
    def _kind(self) -> str:
        return f"{len(self.classes):,} classes ({_named(list(self.classes))})" if self.classes else "a number"

    def described(self) -> dict[str, Any]:
        """The model described as JSON."""
        return {
            "columns": self.columns.to_json(),
            "label": _channel(self.known.label),
            "channels": [{"name": channel.name, "kind": channel.kind} for channel in self.known.inputs],
            "network": self.network.to_json(),
            "labels": self.spec.to_json(),
            "training": self.training.to_json(),
        }

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""
        frames = {} if self.known.frames is None else {"frame_choices": self.known.frames}
        return settled({"columns": self.columns, "labels": self.spec, "choices": self.known.choices, **frames})

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member."""
        for member in range(self.network.members):
            yield {name: weight[member] for name, weight in self.weights.items()}

    def said(self, panel: Panel, ends: Ints | None = None) -> Floats:
        """What is said of the first ends[s] rows of each sequence (default: all), or of each of these rows:
        probabilities of the classes [o, C], or quantiles of the number [o, Q]. A sequence is labelled with the same
        bits alone and among others.
        """
        ends = panel.lengths if ends is None else ends
        lesson = examples(panel, self.spec, ends)
        parts = [self.answered(seen) for seen in lesson.at(np.arange(len(panel)), ends)]
        return np.concatenate(parts) if parts else np.zeros((0, self.spec.outputs))

    def answered(self, seen: Seen) -> Floats:
        """The answers to questions, the mean of the members': [o, C] or [o, Q]."""
        return self.answers_from(self._read(weights, seen) for weights in self.members())

    def _read(self, weights: Weights, seen: Seen) -> Array:
        own = head_weights(weights)
        x = head.embedded(self.spec, own, seen.inputs, seen.codes, np)
        return head.read(self.spec, own, outputs(self.network, weights, x, seen.lengths), seen, np)

    def answers_from(self, read: Iterable[Array]) -> Floats:
        """The answers, the mean of the members', from what the head of each reads [o, R]: [o, C] or [o, Q]."""
        total: Floats = np.zeros(())
        for weights, state in zip(self.members(), read, strict=True):
            said = head.head(self.spec, head_weights(weights), state, np)
            total = total + answers(self.spec, said.astype(np.float64))[:, 0]
        return self.finished(total / self.network.members)

    def finished(self, said: Floats) -> Floats:
        """What is printed, from the mean of what the members say: as sure as held-out sequences allow."""
        return tempered(said, self.temperature) if self.spec.classes else said


def answers(spec: LabelSpec, said: Floats) -> Floats:
    """The head's outputs, as probabilities of the classes, or quantiles in the data's units: [o, poolings, ...]."""
    if spec.classes:
        return np.asarray(np.exp(head.log_softmax(said, np)))
    return np.maximum.accumulate(spec.center + spec.scale * said, axis=-1)


def seen_of(pictures: Pictures) -> str:
    """How frames are seen, for people."""
    shape, rows, patch = ("x".join(map(str, sides)) for sides in (pictures.shape, pictures.grid, pictures.patch))
    shape = shape.removesuffix("x1")
    grid = "no grid: every pixel is a number" if pictures.flat else f"grid {rows}, one state for {patch} pixels"
    return f"{pictures.name}: {shape}, {grid}"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _channel(channel: Channel) -> dict[str, Any]:
    return {"name": channel.name, "kind": channel.kind, "classes": list(channel.vocabulary)}
