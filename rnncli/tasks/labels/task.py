"""The label task: which class, or which number, belongs to a sequence, or to each of its steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli import checkpoint
from rnncli.arrays import Array, Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.events import Listener
from rnncli.model import Meta, Tensors
from rnncli.options.types import AnswerOptions, TrainOptions
from rnncli.spec import ColumnChoices, NetworkSpec
from rnncli.tasks.labels import head, model_file
from rnncli.tasks.labels.labeler import Labeler, answers
from rnncli.tasks.labels.online import refuse_what_looks_ahead
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.seen import Seen, Shapes, Weights

if TYPE_CHECKING:  # predict imports this module, and nothing that only training needs
    from rnncli.tasks.labels.answer import Labels
    from rnncli.tasks.labels.examples import Examples
    from rnncli.tasks.labels.stateful import Stream
    from rnncli.tasks.labels.validation import Holdout, Validated
    from rnncli.tasks.plan import Plan, Trained
    from rnncli.tasks.task import Again, Asking, Backtest, Draw, Facts, LookedAt, Options, Scored

OFTEN = 1_000  # held-out sequences that are scored again and again
JUDGED = 20_000  # and once, in the end


class Labelling:
    """Probabilities of classes, or quantiles of a number, for whole sequences or for each step."""

    name, units = "labels", "sequences"
    text = False

    def lesson(self, panel: Panel, spec: LabelSpec, ends: Ints) -> Examples:
        """The panel as sequences with labels."""
        from rnncli.tasks.labels.examples import examples

        return examples(panel, spec, ends)

    def head_shapes(self, spec: LabelSpec, network: NetworkSpec) -> Shapes:
        """Embeddings, attention and answers. UsageError for an encoder that looks ahead where it must not."""
        if spec.online:
            refuse_what_looks_ahead(network.cell)
        return head.shapes(spec, network.hidden)

    def begin(self, spec: LabelSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """Small random weights."""
        return head.begin(spec, network.hidden, draw)

    def enter(self, spec: LabelSpec, weights: Weights, seen: Seen, xp: Any) -> Array:
        """Frames of numbers with the embeddings of their categories."""
        return head.embedded(spec, weights, seen.inputs, seen.codes, xp)

    def read(self, spec: LabelSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:
        """The poolings of a sequence's outputs: [o, R]."""
        return head.read(spec, weights, outputs, seen, xp)

    def head(
        self,
        spec: LabelSpec,
        weights: Weights,
        state: Array,
        beside: Mapping[str, Array],  # noqa: ARG002
        xp: Any,
    ) -> Array:
        """Logits of the classes, or quantiles, by each pooling: [o, poolings, ...]."""
        return head.head(spec, weights, state, xp)

    def loss(self, spec: LabelSpec, said: Array, targets: Array, xp: Any) -> Array:
        """Cross entropy, or the pinball loss: [o]."""
        return head.loss(spec, said, targets, xp)

    def answers(self, spec: LabelSpec, said: Floats, units: Mapping[str, Array]) -> Floats:  # noqa: ARG002
        """Probabilities, or quantiles in the data's units: [o, poolings, ...]."""
        return answers(spec, said)

    def context(self, spec: LabelSpec) -> int:
        """Frames of the longest sequence."""
        return -(-spec.steps // spec.stride)

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if there is no label."""
        if np.isnan(panel.targets).all():
            raise InputRefused("no sequence has a label", hint="look at the column: --label NAME")

    def visible(self, panel: Panel, plan: Plan[LabelSpec]) -> Panel:  # noqa: ARG002
        """All of it."""
        return panel

    def seen_rows(self, panel: Panel, spec: LabelSpec) -> Panel:  # noqa: ARG002
        """The rows as they are."""
        return panel

    def hold_out(self, panel: Panel, spec: LabelSpec) -> Holdout:
        """A fifth of the sequences."""
        from rnncli.tasks.labels.validation import hold_out

        return hold_out(panel, spec)

    def judged(self, spec: LabelSpec, holdout: Holdout, *, often: bool) -> Holdout:  # noqa: ARG002
        """As many sequences as tell enough."""
        return holdout.some(OFTEN if often else JUDGED)

    def held_out(self, panel: Panel, spec: LabelSpec, holdout: Holdout) -> Asking:
        """The labels of held-out sequences."""
        from rnncli.tasks.labels.examples import examples
        from rnncli.tasks.labels.validation import validated
        from rnncli.tasks.task import Asking

        lengths = panel.lengths
        nothing_yet = validated(panel, spec, holdout)
        return Asking(examples(panel, spec, lengths), holdout.series, lengths[holdout.series], nothing_yet)

    def further(self, panel: Panel, spec: LabelSpec, holdout: Holdout) -> tuple[Asking, ...]:  # noqa: ARG002
        """Nothing else is asked."""
        return ()

    def losses(self, spec: LabelSpec, found: Validated) -> Floats:
        """The loss of the better pooling: [N]."""
        every = found.losses(spec)
        known = every[~np.isnan(every).any(axis=1)]
        return np.asarray(every[:, int(np.argmin(known.mean(axis=0))) if len(known) else 0])

    def choose(self, plan: Plan[LabelSpec], found: list[Validated]) -> int:  # noqa: ARG002
        """There is one candidate."""
        return 0

    def settle(self, panel: Panel, trained: Trained[LabelSpec]) -> object:
        """The pooling and the temperature, and what the training record says of them."""
        from rnncli.tasks.labels.decide import decided, scores

        return scores(panel, trained, decided(trained))

    def last_questions(self, panel: Panel, spec: LabelSpec) -> tuple[Ints, Ints]:
        """Sequences with a label, and their frames."""
        last = panel.offsets[1:] - 1
        usable = np.flatnonzero(~np.isnan(panel.targets[last]))
        if not len(usable):
            raise InputRefused("no sequence has a label at its end", hint="give labelled sequences")
        return usable, _frames(panel.lengths[usable], spec)

    def facts(self, panel: Panel, spec: LabelSpec) -> Facts:
        """Nothing is ahead, and no lag matters more than others."""
        from rnncli.tasks.task import Facts

        rows, seen = spec.stride * spec.raster, spec.window * spec.raster
        row = "row" if spec.pictures is None else "frame"
        step = (f"{rows} {row}s" if rows > 1 else f"a {row}") + (f", seen {seen} at a time" if seen > rows else "")
        steps = int(np.median(_frames(panel.lengths, spec)))
        patch = 1 if spec.pictures is None else spec.pictures.patch[0]
        return Facts(None, (), steps, whole=not spec.per_step, step=step, questions="labels", patch=patch)

    def points(self, spec: LabelSpec, said: Array, seen: Seen) -> None:
        """None: labels are not said by plain answers."""

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: Labeler | None) -> LookedAt:
        """The findings of a check in a labelled table."""
        from rnncli.tasks.labels.looked_at import looked_at

        return looked_at(data, choices, options, model)

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for options that exclude each other."""
        from rnncli.tasks.labels import training

        training.refuse_senseless(options)

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Labelled data of which nothing is known."""
        from rnncli.tasks.labels import reading

        return reading.load_new(data, choices, options, tell)

    def load_known(self, data: Data, choices: ColumnChoices, model: Labeler, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""
        from rnncli.tasks.labels import reading

        return reading.load_known(data, choices, model, tell)

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: Labeler | None, tell: Listener
    ) -> Loaded:
        """What is learnt from."""
        from rnncli.tasks.labels import reading

        return reading.load_to_train(data, choices, options, start, tell)

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[LabelSpec]:
        """Everything that is decided before the first step."""
        from rnncli.tasks.labels import training

        return training.planned(loaded, options)

    def planned_on(self, loaded: Loaded, start: Labeler, options: TrainOptions) -> Plan[LabelSpec]:
        """A training that goes on from a model."""
        from rnncli.tasks.labels import training

        return training.planned_on(loaded, start, options)

    def planned_again(self, loaded: Loaded, model: Labeler) -> Plan[LabelSpec]:
        """A model's training, once more on other sequences."""
        from rnncli.tasks.labels import training

        return training.planned_again(loaded, model)

    def inferred(self, loaded: Loaded, plan: Plan[LabelSpec]) -> str:
        """Columns, channels and the kind of label."""
        from rnncli.tasks.labels import training

        return training.inferred(loaded, plan)

    def settled(
        self, loaded: Loaded, plan: Plan[LabelSpec], trained: Trained[LabelSpec], start: Labeler | None
    ) -> Labeler:
        """The model that a training leaves, with the record of it."""
        from rnncli.tasks.labels import training

        return training.settled(loaded, plan, trained, start)

    def refitted(self, loaded: Loaded, trained: Trained[LabelSpec]) -> Labeler:
        """The model that a repeated training leaves, with an empty record."""
        from rnncli.tasks.labels import training

        return training.refitted(loaded, trained)

    def unsettled(self, loaded: Loaded, trained: Trained[LabelSpec]) -> Labeler:
        """The model of a training that broke off."""
        from rnncli.tasks.labels import training

        return training.unsettled(loaded, trained)

    def verdict(self, model: Labeler) -> str:
        """Whether the network is better than what is simpler."""
        from rnncli.tasks.labels.verdict import verdict

        return verdict(model.record)

    def outcome(self, model: Labeler) -> dict[str, Any]:
        """The choices that validation made."""
        return {"pooling": model.spec.poolings[0], "temperature": model.temperature}

    def stream(self, path: str | os.PathLike[str], model: Labeler, digest: str) -> Stream:
        """What was seen so far, as the file at `path` has it. UsageError for a model that is not online."""
        from rnncli.tasks.labels.stateful import Stream

        return Stream(path, model, digest)

    def answer(
        self,
        data: Data,
        model: Labeler,
        choices: ColumnChoices,
        options: AnswerOptions,
        tell: Listener,
        stream: Stream | None,
    ) -> Labels:
        """The label of every sequence, or of every step."""
        from rnncli.tasks.labels.answer import answer

        return answer(data, model, choices, options, tell, stream)

    def groupings(self, model: Labeler, group: str | None) -> tuple[str, ...]:
        """Classes, where labels are some, and groups, where a column of them is named."""
        grouped = group is not None or model.known.choices.group is not None
        return ("class",) * bool(model.classes) + ("group",) * grouped

    def evaluated(
        self, data: Data, model: Labeler, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """How often labels are right, beside what is simpler."""
        from rnncli.tasks.labels.evaluate import evaluated

        return evaluated(data, model, choices, wanted, tell, again)

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""
        return model_file.layout(meta)

    def from_file(self, found: checkpoint.Model) -> Labeler:
        """The model in a file that was checked."""
        return model_file.from_file(found)

    def to_file(self, model: Labeler) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""
        return model_file.to_file(model)


def _frames(lengths: Ints, spec: LabelSpec) -> Ints:
    """Frames of sequences of so many rows."""
    steps = -(-lengths // spec.raster)
    return -(-steps // spec.stride)


TASK = Labelling()
