"""The answers of a model to documents of sets: what comes next, sets that go on from them, and scores of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.data.objects import Data
from rnncli.errors import UsageError
from rnncli.events import Listener
from rnncli.options.types import AnswerOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.sets.generate import drawing_of
from rnncli.tasks.sets.reading import load_known
from rnncli.tasks.sets.said import continued, next_sets, scored
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.stateful import Reading, Stream

if TYPE_CHECKING:
    from rnncli.tasks.answer import Answer

DOCUMENT, TOKEN = "document", "token"


def answer(
    data: Data,
    model: SetModel,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    stream: Stream | None,
) -> Answer:
    """The sets with which the documents of `data` go on, or scores of theirs; with a stream they go on from where it
    has them.
    """
    asked = [name for name in ("generate", "top", "score") if options.get(name) is not None]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} ask for two answers", hint=f"leave --{asked[1]} out")
    reading = Reading(model) if stream is None else stream
    count, score = options.get("generate"), options.get("score")
    if score == TOKEN:
        raise UsageError(
            "the tokens of a set are not scored one by one, and --score token asks for that",
            hint="--score step scores each set, --score document all of a document",
        )
    drawing = drawing_of(options)
    loaded = load_known(data, choices, model, tell)
    if count is not None:
        return continued(loaded, reading, count, drawing)
    if score is None:
        return next_sets(loaded, reading, options.get("top"))
    return scored(loaded, reading, by_document=score == DOCUMENT)
