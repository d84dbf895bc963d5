"""What a model says of documents: how they go on, as text or as the likeliest next tokens, and how likely they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.data.objects import Data
from rnncli.errors import UsageError
from rnncli.events import Listener
from rnncli.options.types import AnswerOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.tokens.reading import load_known, load_prompt, open_ended
from rnncli.tasks.tokens.stateful import Reading, Stream
from rnncli.tasks.tokens.token_model import TokenModel

if TYPE_CHECKING:
    from rnncli.tasks.answer import Answer

TOP = 5  # next tokens of a document, where nobody says how many
DOCUMENT, STEP = "document", "step"


def answer(
    data: Data,
    model: TokenModel,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    stream: Stream | None,
) -> Answer:
    """How the documents of `data` go on, or how likely they were; with a stream they go on from where it has them.

    What is not asked for is not imported: a text begins sooner without the writers of tables.
    """
    if options.get("quantiles"):
        raise UsageError(
            "--quantiles of events are those of training, and all are written", hint="leave --quantiles out"
        )
    asked = [name for name in ("generate", "top", "score") if options.get(name) is not None]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} ask for two answers", hint=f"leave --{asked[1]} out")
    if options.get("score") == STEP:
        raise UsageError("--score step is for sets, one a step", hint="say --score token, or --score document")
    reading = Reading(model) if stream is None else stream
    count, score = options.get("generate"), options.get("score")
    if count is not None:
        from rnncli.tasks.tokens.continuation import continued
        from rnncli.tasks.tokens.generate import drawing_of

        drawing = drawing_of(options)
        return continued(load_prompt(data, choices, model, tell), reading, count, drawing, tell)
    from rnncli.tasks.tokens.said import next_tokens, scored

    loaded = load_known(data, choices, model, tell)
    if score is None:
        return next_tokens(open_ended(loaded, model), reading, options.get("top") or TOP)
    return scored(loaded if stream is None else open_ended(loaded, model), reading, by_document=score == DOCUMENT)
