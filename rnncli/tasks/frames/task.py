"""The task of frames: the next pictures, or maps, of a sequence."""

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
from rnncli.errors import InputRefused, UsageError
from rnncli.events import Listener
from rnncli.model import Meta, Tensors
from rnncli.options.types import AnswerOptions, TrainOptions
from rnncli.spec import ColumnChoices, NetworkSpec
from rnncli.tasks.frames import head, model_file
from rnncli.tasks.frames.frame_model import FrameModel
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.seen import Seen, Shapes, Weights

if TYPE_CHECKING:  # predict imports this module, and nothing that only training needs
    from rnncli.tasks.answer import Answer
    from rnncli.tasks.frames.examples import Examples
    from rnncli.tasks.frames.validation import Holdout, Validated
    from rnncli.tasks.plan import Plan, Trained
    from rnncli.tasks.task import Again, Asking, Backtest, Draw, Facts, LookedAt, Options, Scored, Stream

OFTEN, ONCE = 32, 256  # held-out questions that are answered again and again, and in the end


class NextFrames:
    """The next frames of a sequence, from those before."""

    name, units = "frames", "sequences"
    text = False

    def lesson(self, panel: Panel, spec: FrameSpec, ends: Ints) -> Examples:
        """The panel as sequences that go on."""
        from rnncli.tasks.frames.examples import Examples

        return Examples(panel, spec, ends)

    def head_shapes(self, spec: FrameSpec, network: NetworkSpec) -> Shapes:
        """A product from the state at each pixel of the grid to a patch."""
        return head.shapes(spec, network)

    def begin(self, spec: FrameSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """A random product, which says about what is there on average, or was there last."""
        return head.begin(spec, network, draw)

    def enter(self, spec: FrameSpec, weights: Weights, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The patches as they are."""
        return seen.inputs

    def read(self, spec: FrameSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The outputs at the steps whose next frames are asked for: [o, S, ..., H]."""
        return head.read(outputs, seen)

    def head(self, spec: FrameSpec, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
        """What is said of frames: [o, S, height, width, channels], and a last axis of quantiles if there are levels."""
        return head.head(spec, weights, state, beside, xp)

    def loss(self, spec: FrameSpec, said: Array, targets: Array, xp: Any) -> Array:
        """The mean loss of a pixel: [o]."""
        return head.loss(spec, said, targets, xp)

    def answers(self, spec: FrameSpec, said: Floats, units: Mapping[str, Array]) -> Floats:
        """How wrong what is said of each frame is: [o, horizon, 3]."""
        from rnncli.tasks.frames.validation import of_what_came

        return of_what_came(spec, said, units)

    def context(self, spec: FrameSpec) -> int:
        """Frames that are seen."""
        return spec.context

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if no frame comes after another."""
        from rnncli.tasks.frames.examples import refuse_nothing

        refuse_nothing(panel)

    def visible(self, panel: Panel, plan: Plan[FrameSpec]) -> Panel:  # noqa: ARG002
        """All of it."""
        return panel

    def seen_rows(self, panel: Panel, spec: FrameSpec) -> Panel:  # noqa: ARG002
        """The frames as they are."""
        return panel

    def hold_out(self, panel: Panel, spec: FrameSpec) -> Holdout:
        """A tenth of the frames."""
        from rnncli.tasks.frames.validation import hold_out

        return hold_out(panel, spec)

    def judged(self, spec: FrameSpec, holdout: Holdout, *, often: bool) -> Holdout:  # noqa: ARG002
        """As many questions as tell enough."""
        return holdout.some(OFTEN if often else ONCE)

    def held_out(self, panel: Panel, spec: FrameSpec, holdout: Holdout) -> Asking:
        """What comes next in held-out frames."""
        from rnncli.tasks.frames.examples import Examples
        from rnncli.tasks.frames.validation import validated
        from rnncli.tasks.task import Asking

        lesson = Examples(panel, spec, panel.lengths)
        return Asking(lesson, holdout.series, holdout.rows, validated(holdout, spec))

    def further(self, panel: Panel, spec: FrameSpec, holdout: Holdout) -> tuple[Asking, ...]:  # noqa: ARG002
        """Nothing else is asked."""
        return ()

    def losses(self, spec: FrameSpec, found: Validated) -> Floats:  # noqa: ARG002
        """The mean loss of a pixel: [N]."""
        return found.losses()

    def choose(self, plan: Plan[FrameSpec], found: list[Validated]) -> int:  # noqa: ARG002
        """There is one candidate."""
        return 0

    def settle(self, panel: Panel, trained: Trained[FrameSpec]) -> object:
        """What the training record says of held-out frames."""
        from rnncli.tasks.frames.decide import scores

        return scores(panel, trained)

    def last_questions(self, panel: Panel, spec: FrameSpec) -> tuple[Ints, Ints]:
        """Sequences, and their frames before the last ones of which the horizon is known."""
        from rnncli.tasks.frames.examples import origins

        first, last = origins(panel.lengths, spec)
        usable = np.flatnonzero(last >= first)
        if not len(usable):
            raise InputRefused("no sequence has two frames", hint="give longer sequences")
        return usable, last[usable]

    def facts(self, panel: Panel, spec: FrameSpec) -> Facts:
        """How far an answer reaches."""
        from rnncli.tasks.task import Facts

        rows, after = int(np.median(panel.lengths)), spec.horizon - 1
        return Facts(spec.horizon, (), rows, step="a frame", after=after, patch=spec.patch[0])

    def points(self, spec: FrameSpec, said: Array, seen: Seen) -> None:
        """None: no plain frame is a point."""

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: FrameModel | None) -> LookedAt:
        """What is wrong with frames."""
        from rnncli.tasks.frames.looked_at import looked_at

        return looked_at(data, choices, options, model)

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for options that exclude each other."""
        from rnncli.tasks.frames import training

        training.refuse_senseless(options)

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Frames of which nothing is known."""
        from rnncli.tasks.frames import reading

        return reading.load_new(data, choices, options, tell)

    def load_known(self, data: Data, choices: ColumnChoices, model: FrameModel, tell: Listener) -> Loaded:
        """Frames, read as those of a model were."""
        from rnncli.tasks.frames import reading

        return reading.load_known(data, choices, model, tell)

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: FrameModel | None, tell: Listener
    ) -> Loaded:
        """Frames to train on."""
        from rnncli.tasks.frames import reading

        return reading.load_to_train(data, choices, options, start, tell)

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[FrameSpec]:
        """Everything that is decided before the first step."""
        from rnncli.tasks.frames import training

        return training.planned(loaded, options)

    def planned_on(self, loaded: Loaded, start: FrameModel, options: TrainOptions) -> Plan[FrameSpec]:
        """A training that goes on from a model."""
        from rnncli.tasks.frames import training

        return training.planned_on(loaded, start, options)

    def planned_again(self, loaded: Loaded, model: FrameModel) -> Plan[FrameSpec]:
        """A model's training, once more on other frames."""
        from rnncli.tasks.frames import training

        return training.planned_again(loaded, model)

    def inferred(self, loaded: Loaded, plan: Plan[FrameSpec]) -> str:
        """What frames are, and what is said of them."""
        from rnncli.tasks.frames import training

        return training.inferred(loaded, plan)

    def settled(
        self, loaded: Loaded, plan: Plan[FrameSpec], trained: Trained[FrameSpec], start: FrameModel | None
    ) -> FrameModel:
        """The model that a training leaves, with the record of it."""
        from rnncli.tasks.frames import training

        return training.settled(loaded, plan, trained, start)

    def refitted(self, loaded: Loaded, trained: Trained[FrameSpec]) -> FrameModel:
        """The model that a repeated training leaves, with an empty record."""
        from rnncli.tasks.frames import training

        return training.refitted(loaded, trained)

    def unsettled(self, loaded: Loaded, trained: Trained[FrameSpec]) -> FrameModel:
        """The model of a training that broke off."""
        from rnncli.tasks.frames import training

        return training.unsettled(loaded, trained)

    def verdict(self, model: FrameModel) -> str:
        """Whether the network is better than what is simpler."""
        from rnncli.tasks.frames.verdict import verdict

        return verdict(model.record)

    def outcome(self, model: FrameModel) -> dict[str, Any]:
        """The squared error at each lead, of the network and of what is simpler."""
        return {"mse_by_lead": model.record.get("by_lead", {})}

    def stream(self, path: str | os.PathLike[str], model: FrameModel, digest: str) -> Stream:  # noqa: ARG002
        """UsageError: what is said of frames follows from the last few, and no state is kept."""
        raise UsageError(
            "--state is not for frames: what comes next follows from the last few of them",
            hint=f"leave --state out, and give the last {model.spec.context:,} frames",
        )

    def answer(
        self,
        data: Data,
        model: FrameModel,
        choices: ColumnChoices,
        options: AnswerOptions,
        tell: Listener,
        stream: Stream | None,  # noqa: ARG002
    ) -> Answer:
        """The next frames."""
        from rnncli.tasks.frames.answer import answer

        return answer(data, model, choices, options, tell)

    def groupings(self, model: FrameModel, group: str | None) -> tuple[str, ...]:
        """Lead times, and sequences."""
        del model, group
        return ("lead", "series")

    def evaluated(
        self, data: Data, model: FrameModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """How wrong the next frames are, beside what is simpler."""
        from rnncli.tasks.frames.evaluate import evaluated

        return evaluated(data, model, choices, wanted, tell, again)

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""
        return model_file.layout(meta)

    def from_file(self, found: checkpoint.Model) -> FrameModel:
        """The model in a file that was checked."""
        return model_file.from_file(found)

    def to_file(self, model: FrameModel) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""
        return model_file.to_file(model)


TASK = NextFrames()
