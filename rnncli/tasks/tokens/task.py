"""The token task: what comes next in a document, how sure that is, and on from there."""

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
from rnncli.layers.rows import Rows
from rnncli.model import Meta, Tensors
from rnncli.options.types import AnswerOptions, TrainOptions
from rnncli.spec import ColumnChoices, NetworkSpec
from rnncli.tasks.seen import Seen, Shapes, Weights, at_origins
from rnncli.tasks.tokens import formulas, model_file
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.token_model import TokenModel

if TYPE_CHECKING:  # predict imports this module, and nothing that only training needs
    from rnncli.tasks.answer import Answer
    from rnncli.tasks.documents import Holdout
    from rnncli.tasks.plan import Plan, Trained
    from rnncli.tasks.task import Again, Asking, Backtest, Draw, Facts, LookedAt, Options, Scored
    from rnncli.tasks.tokens.examples import Examples
    from rnncli.tasks.tokens.stateful import Stream
    from rnncli.tasks.tokens.validation import Validated

OFTEN = 1 << 14  # held-out tokens that are scored again and again; all are in the end


class NextToken:
    """Probabilities of the next token, at every position of a document."""

    name, units = "tokens", "documents"
    text = True

    def lesson(self, panel: Panel, spec: TokenSpec, ends: Ints) -> Examples:
        """The panel as documents that go on."""
        from rnncli.tasks.tokens.examples import examples

        return examples(panel, spec, ends)

    def head_shapes(self, spec: TokenSpec, network: NetworkSpec) -> Shapes:
        """One table of what is seen and said of tokens, or one for each cluster of a large vocabulary."""
        return formulas.shapes(spec, network.hidden)

    def begin(self, spec: TokenSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """A random table."""
        return formulas.begin(spec, network.hidden, draw)

    def enter(self, spec: TokenSpec, weights: Weights, seen: Seen, xp: Any) -> Array | Rows:
        """The rows of the table that the tokens before each position have, with what stands beside them."""
        assert seen.codes is not None
        return formulas.entered(spec, weights, seen.inputs, seen.codes, xp)

    def read(self, spec: TokenSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The output at each position that is asked about: [o, H]."""
        return at_origins(outputs, seen)

    def head(
        self,
        spec: TokenSpec,
        weights: Weights,
        state: Array,
        beside: Mapping[str, Array],
        xp: Any,
    ) -> Array:
        """Logits of all that can come next [o, tokens] or, of a large vocabulary, log p of what came [o, 1]; of events
        with times, quantiles of the time to it behind them.
        """
        return formulas.said(spec, weights, state, beside, xp)

    def loss(self, spec: TokenSpec, said: Array, targets: Array, xp: Any) -> Array:
        """Cross entropy, and the loss of the time beside it: [o]."""
        return formulas.loss(spec, said, targets, xp)

    def answers(self, spec: TokenSpec, said: Floats, units: Mapping[str, Array]) -> Floats:
        """How likely what came was held, and how many tokens for more likely: [o, 2]; quantiles of the time to it
        behind them. All that was said of a text would fill the memory.
        """
        from rnncli.tasks.tokens.answers import of_what_came

        came = units[formulas.CAME]
        tokens, times = formulas.parts_of(spec, said)
        found = np.where(np.isnan(came)[:, None], np.nan, tokens) if spec.clusters else of_what_came(tokens, came)
        return found if spec.timing is None else np.concatenate([found, times], axis=1)

    def context(self, spec: TokenSpec) -> int:
        """Steps that are learnt from at a time."""
        return spec.steps

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if nothing ever comes next."""
        if len(panel.values) < 2:
            raise InputRefused("there are fewer than two tokens", hint="give a longer text")

    def visible(self, panel: Panel, plan: Plan[TokenSpec]) -> Panel:  # noqa: ARG002
        """All of it."""
        return panel

    def seen_rows(self, panel: Panel, spec: TokenSpec) -> Panel:  # noqa: ARG002
        """The rows as they are."""
        return panel

    def hold_out(self, panel: Panel, spec: TokenSpec) -> Holdout:  # noqa: ARG002
        """A tenth of the tokens."""
        from rnncli.tasks.documents import hold_out

        return hold_out(panel)

    def judged(self, spec: TokenSpec, holdout: Holdout, *, often: bool) -> Holdout:  # noqa: ARG002
        """As many positions as tell enough."""
        return holdout.some(OFTEN) if often else holdout

    def held_out(self, panel: Panel, spec: TokenSpec, holdout: Holdout) -> Asking:
        """The tokens in held-out pieces."""
        from rnncli.tasks.task import Asking
        from rnncli.tasks.tokens.validation import pieces, validated

        lesson = pieces(panel, spec, holdout)
        return Asking(lesson, holdout.series, holdout.stop, validated(panel, spec, holdout))

    def further(self, panel: Panel, spec: TokenSpec, holdout: Holdout) -> tuple[Asking, ...]:  # noqa: ARG002
        """Nothing else is asked."""
        return ()

    def losses(self, spec: TokenSpec, found: Validated) -> Floats:  # noqa: ARG002
        """How unlikely what came was held, and how far its time was from what was said: [N]."""
        return found.losses()

    def choose(self, plan: Plan[TokenSpec], found: list[Validated]) -> int:  # noqa: ARG002
        """There is one candidate."""
        return 0

    def settle(self, panel: Panel, trained: Trained[TokenSpec]) -> object:
        """The n-grams beside the network, and what the training record says of held-out tokens."""
        from rnncli.tasks.tokens.decide import pool_of, scores

        return scores(panel, trained, pool_of(panel, trained)[1])

    def last_questions(self, panel: Panel, spec: TokenSpec) -> tuple[Ints, Ints]:  # noqa: ARG002
        """Documents, and their tokens before the last one."""
        ends = panel.lengths - 1
        usable = np.flatnonzero(ends > 0)
        if not len(usable):
            raise InputRefused("no document has two tokens", hint="give longer documents")
        return usable, ends[usable]

    def facts(self, panel: Panel, spec: TokenSpec) -> Facts:  # noqa: ARG002
        """Nothing is ahead, and no lag matters more than others."""
        from rnncli.tasks.task import Facts

        rows = int(np.median(panel.lengths))
        return Facts(None, (), rows, step="a token", questions="tokens", context_option="tbptt")

    def points(self, spec: TokenSpec, said: Array, seen: Seen) -> None:
        """None: tokens are no points."""

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: TokenModel | None) -> LookedAt:
        """What is wrong with documents."""
        from rnncli.tasks.tokens.looked_at import looked_at

        return looked_at(data, choices, options, model)

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for options that exclude each other."""
        from rnncli.tasks.tokens import training

        training.refuse_senseless(options)

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Documents of which nothing is known."""
        from rnncli.tasks.tokens import reading

        return reading.load_new(data, choices, options, tell)

    def load_known(self, data: Data, choices: ColumnChoices, model: TokenModel, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""
        from rnncli.tasks.tokens import reading

        return reading.load_known(data, choices, model, tell)

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: TokenModel | None, tell: Listener
    ) -> Loaded:
        """What is learnt from."""
        from rnncli.tasks.tokens import reading

        return reading.load_to_train(data, choices, options, start, tell)

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[TokenSpec]:
        """Everything that is decided before the first step."""
        from rnncli.tasks.tokens import training

        return training.planned(loaded, options)

    def planned_on(self, loaded: Loaded, start: TokenModel, options: TrainOptions) -> Plan[TokenSpec]:
        """A training that goes on from a model."""
        from rnncli.tasks.tokens import training

        return training.planned_on(loaded, start, options)

    def planned_again(self, loaded: Loaded, model: TokenModel) -> Plan[TokenSpec]:
        """A model's training, once more on other documents."""
        from rnncli.tasks.tokens import training

        return training.planned_again(loaded, model)

    def inferred(self, loaded: Loaded, plan: Plan[TokenSpec]) -> str:
        """What tokens are, and how many."""
        from rnncli.tasks.tokens import training

        return training.inferred(loaded, plan)

    def settled(
        self, loaded: Loaded, plan: Plan[TokenSpec], trained: Trained[TokenSpec], start: TokenModel | None
    ) -> TokenModel:
        """The model that a training leaves, with the record of it."""
        from rnncli.tasks.tokens import training

        return training.settled(loaded, plan, trained, start)

    def refitted(self, loaded: Loaded, trained: Trained[TokenSpec]) -> TokenModel:
        """The model that a repeated training leaves, with an empty record."""
        from rnncli.tasks.tokens import training

        return training.refitted(loaded, trained)

    def unsettled(self, loaded: Loaded, trained: Trained[TokenSpec]) -> TokenModel:
        """The model of a training that broke off."""
        from rnncli.tasks.tokens import training

        return training.unsettled(loaded, trained)

    def verdict(self, model: TokenModel) -> str:
        """Whether the network is better than what is simpler."""
        from rnncli.tasks.tokens.verdict import verdict

        return verdict(model.record)

    def outcome(self, model: TokenModel) -> dict[str, Any]:  # noqa: ARG002
        """Nothing but weights is decided."""
        return {}

    def stream(self, path: str | os.PathLike[str], model: TokenModel, digest: str) -> Stream:
        """What was read so far, as the file at `path` has it."""
        from rnncli.tasks.tokens.stateful import Stream

        return Stream(path, model, digest)

    def answer(
        self,
        data: Data,
        model: TokenModel,
        choices: ColumnChoices,
        options: AnswerOptions,
        tell: Listener,
        stream: Stream | None,
    ) -> Answer:
        """How documents go on, or how likely they were."""
        from rnncli.tasks.tokens.answer import answer

        return answer(data, model, choices, options, tell, stream)

    def groupings(self, model: TokenModel, group: str | None) -> tuple[str, ...]:
        """Documents, and positions in them."""
        del model, group
        return ("document", "position")

    def evaluated(
        self, data: Data, model: TokenModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """How likely what came was held, beside what is simpler."""
        from rnncli.tasks.tokens.evaluate import evaluated

        return evaluated(data, model, choices, wanted, tell, again)

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""
        return model_file.layout(meta)

    def from_file(self, found: checkpoint.Model) -> TokenModel:
        """The model in a file that was checked."""
        return model_file.from_file(found)

    def to_file(self, model: TokenModel) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""
        return model_file.to_file(model)


TASK = NextToken()
