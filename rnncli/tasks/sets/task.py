"""The set task: which tokens are in the next set of a document, how sure that is, and on from there."""

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
from rnncli.tasks.seen import Seen, Shapes, Weights, at_origins
from rnncli.tasks.sets import head, model_file
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.spec import SetSpec

if TYPE_CHECKING:  # predict imports this module, and nothing that only training needs
    from rnncli.tasks.answer import Answer
    from rnncli.tasks.documents import Holdout
    from rnncli.tasks.plan import Plan, Trained
    from rnncli.tasks.sets.examples import Examples
    from rnncli.tasks.sets.stateful import Stream
    from rnncli.tasks.sets.validation import Validated
    from rnncli.tasks.task import Again, Asking, Backtest, Draw, Facts, LookedAt, Options, Scored

OFTEN = 1 << 13  # held-out steps that are scored again and again
NUMBERS = 1 << 25  # probabilities that are kept of held-out steps in the end


class NextSet:
    """Probabilities of each token in the next set, at every position of a document."""

    name, units = "sets", "documents"
    text = False

    def lesson(self, panel: Panel, spec: SetSpec, ends: Ints) -> Examples:
        """The panel as documents that go on."""
        from rnncli.tasks.sets.examples import examples

        return examples(panel, spec, ends)

    def head_shapes(self, spec: SetSpec, network: NetworkSpec) -> Shapes:
        """A table of what is seen of tokens, and weights of what is said of them."""
        return head.shapes(spec, network)

    def begin(self, spec: SetSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """Random weights, and a bias as tokens are frequent."""
        return head.begin(spec, network, draw)

    def enter(self, spec: SetSpec, weights: Weights, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The sum of what the table has of the tokens of the set before each position."""
        return head.entered(weights, seen.inputs, xp)

    def read(self, spec: SetSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The output at each position that is asked about: [o, H]."""
        return at_origins(outputs, seen)

    def head(
        self,
        spec: SetSpec,  # noqa: ARG002
        weights: Weights,
        state: Array,
        beside: Mapping[str, Array],  # noqa: ARG002
        xp: Any,
    ) -> Array:
        """Logits of all tokens that are known: [o, outputs]."""
        return head.head(weights, state, xp)

    def loss(self, spec: SetSpec, said: Array, targets: Array, xp: Any) -> Array:  # noqa: ARG002
        """Binary cross entropy, the sum over tokens: [o]."""
        return head.loss(said, targets, xp)

    def answers(self, spec: SetSpec, said: Floats, units: Mapping[str, Array]) -> Floats:  # noqa: ARG002
        """The probability of each known token: [o, outputs]."""
        return head.probabilities(said)

    def context(self, spec: SetSpec) -> int:
        """Steps that are learnt from at a time."""
        return spec.steps

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if nothing ever comes next."""
        if len(panel.values) < 2:
            raise InputRefused("there are fewer than two steps", hint="give longer documents")

    def visible(self, panel: Panel, plan: Plan[SetSpec]) -> Panel:  # noqa: ARG002
        """All of it."""
        return panel

    def seen_rows(self, panel: Panel, spec: SetSpec) -> Panel:  # noqa: ARG002
        """The rows as they are."""
        return panel

    def hold_out(self, panel: Panel, spec: SetSpec) -> Holdout:  # noqa: ARG002
        """A tenth of the steps."""
        from rnncli.tasks.documents import hold_out

        return hold_out(panel)

    def judged(self, spec: SetSpec, holdout: Holdout, *, often: bool) -> Holdout:
        """As many positions as tell enough."""
        return holdout.some(min(OFTEN, NUMBERS // spec.tokens) if often else NUMBERS // spec.tokens)

    def held_out(self, panel: Panel, spec: SetSpec, holdout: Holdout) -> Asking:
        """The sets in held-out pieces."""
        from rnncli.tasks.sets.validation import pieces, validated
        from rnncli.tasks.task import Asking

        lesson = pieces(panel, spec, holdout)
        return Asking(lesson, holdout.series, holdout.stop, validated(panel, holdout))

    def further(self, panel: Panel, spec: SetSpec, holdout: Holdout) -> tuple[Asking, ...]:  # noqa: ARG002
        """Nothing else is asked."""
        return ()

    def losses(self, spec: SetSpec, found: Validated) -> Floats:
        """-log p of the sets that came: [N]."""
        return found.losses(spec)

    def choose(self, plan: Plan[SetSpec], found: list[Validated]) -> int:  # noqa: ARG002
        """There is one candidate."""
        return 0

    def settle(self, panel: Panel, trained: Trained[SetSpec]) -> object:
        """The training record's part about held-out sets."""
        from rnncli.tasks.sets.decide import scores

        return scores(panel, trained)

    def last_questions(self, panel: Panel, spec: SetSpec) -> tuple[Ints, Ints]:  # noqa: ARG002
        """Documents, and their sets before the last one that is not missing."""
        from rnncli.tasks.sets.examples import last_known

        ends = last_known(panel)
        usable = np.flatnonzero(ends > 0)
        if not len(usable):
            raise InputRefused("no document has two steps", hint="give longer documents")
        return usable, ends[usable]

    def facts(self, panel: Panel, spec: SetSpec) -> Facts:  # noqa: ARG002
        """Nothing is ahead, and no lag matters more than others."""
        from rnncli.tasks.task import Facts

        rows = int(np.median(panel.lengths))
        return Facts(None, (), rows, step="a set", questions="steps", context_option="tbptt")

    def points(self, spec: SetSpec, said: Array, seen: Seen) -> None:
        """None: sets are no points."""

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: SetModel | None) -> LookedAt:
        """The findings of a check of documents."""
        from rnncli.tasks.sets.looked_at import looked_at

        return looked_at(data, choices, options, model)

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for options that exclude each other."""
        from rnncli.tasks.sets import training

        training.refuse_senseless(options)

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Documents of which nothing is known."""
        from rnncli.tasks.sets import reading

        return reading.load_new(data, choices, options, tell)

    def load_known(self, data: Data, choices: ColumnChoices, model: SetModel, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""
        from rnncli.tasks.sets import reading

        return reading.load_known(data, choices, model, tell)

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: SetModel | None, tell: Listener
    ) -> Loaded:
        """Documents to learn from."""
        from rnncli.tasks.sets import reading

        return reading.load_to_train(data, choices, options, start, tell)

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[SetSpec]:
        """Everything that is decided before the first step."""
        from rnncli.tasks.sets import training

        return training.planned(loaded, options)

    def planned_on(self, loaded: Loaded, start: SetModel, options: TrainOptions) -> Plan[SetSpec]:
        """A training that goes on from a model."""
        from rnncli.tasks.sets import training

        return training.planned_on(loaded, start, options)

    def planned_again(self, loaded: Loaded, model: SetModel) -> Plan[SetSpec]:
        """A model's training, once more on other documents."""
        from rnncli.tasks.sets import training

        return training.planned_again(loaded, model)

    def inferred(self, loaded: Loaded, plan: Plan[SetSpec]) -> str:
        """The roles of the columns, and the number of tokens."""
        from rnncli.tasks.sets import training

        return training.inferred(loaded, plan)

    def settled(
        self, loaded: Loaded, plan: Plan[SetSpec], trained: Trained[SetSpec], start: SetModel | None
    ) -> SetModel:
        """The model that a training leaves, with the record of it."""
        from rnncli.tasks.sets import training

        return training.settled(loaded, plan, trained, start)

    def refitted(self, loaded: Loaded, trained: Trained[SetSpec]) -> SetModel:
        """The model that a repeated training leaves, with an empty record."""
        from rnncli.tasks.sets import training

        return training.refitted(loaded, trained)

    def unsettled(self, loaded: Loaded, trained: Trained[SetSpec]) -> SetModel:
        """The model of a training that broke off."""
        from rnncli.tasks.sets import training

        return training.unsettled(loaded, trained)

    def verdict(self, model: SetModel) -> str:
        """A sentence on the network beside the best baseline."""
        from rnncli.tasks.document_verdict import verdict

        return verdict(model.record, "sets", "step")

    def outcome(self, model: SetModel) -> dict[str, Any]:  # noqa: ARG002
        """Nothing but weights is decided."""
        return {}

    def stream(self, path: str | os.PathLike[str], model: SetModel, digest: str) -> Stream:
        """The state that the file at `path` has."""
        from rnncli.tasks.sets.stateful import Stream

        return Stream(path, model, digest)

    def answer(
        self,
        data: Data,
        model: SetModel,
        choices: ColumnChoices,
        options: AnswerOptions,
        tell: Listener,
        stream: Stream | None,
    ) -> Answer:
        """Sets that come next, or scores of those that came."""
        from rnncli.tasks.sets.answer import answer

        return answer(data, model, choices, options, tell, stream)

    def groupings(self, model: SetModel, group: str | None) -> tuple[str, ...]:
        """Documents, and positions in them."""
        del model, group
        return ("document", "position")

    def evaluated(
        self, data: Data, model: SetModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """Scores of the model, beside those of baselines."""
        from rnncli.tasks.sets.evaluate import evaluated

        return evaluated(data, model, choices, wanted, tell, again)

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""
        return model_file.layout(meta)

    def from_file(self, found: checkpoint.Model) -> SetModel:
        """The model in a file that was checked."""
        return model_file.from_file(found)

    def to_file(self, model: SetModel) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""
        return model_file.to_file(model)


TASK = NextSet()
