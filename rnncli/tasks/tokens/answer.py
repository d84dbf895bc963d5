"""What a model says of documents: how they go on, as text or as the likeliest next tokens, and how likely they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.writers.table import number_array, text_array
from rnncli.errors import UsageError
from rnncli.events import Generated, Listener, Noted
from rnncli.options.types import AnswerOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.tokens.generate import Drawing, generated
from rnncli.tasks.tokens.reading import load_known, load_prompt, open_ended
from rnncli.tasks.tokens.stateful import Reading, Stream
from rnncli.tasks.tokens.stream import following
from rnncli.tasks.tokens.table import Continuation, TokenTable, ids_of
from rnncli.tasks.tokens.text import Joining
from rnncli.tasks.tokens.token_model import TokenModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP = 5  # next tokens of a document, where nobody says how many
TOKEN, DOCUMENT = "token", "document"


def answer(
    data: Data,
    model: TokenModel,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    stream: Stream | None,
) -> TokenTable | Continuation:
    """How the documents of `data` go on, or how likely they were; with a stream they go on from where it has them."""
    _refuse_together(options)
    drawing = _drawing(options)
    reading = Reading(model) if stream is None else stream
    count, score = options.get("generate"), options.get("score")
    if count is not None:
        return _continued(load_prompt(data, choices, model, tell), reading, count, drawing, tell)
    loaded = load_known(data, choices, model, tell)
    if score is None:
        return _next(open_ended(loaded, model), reading, options.get("top") or TOP)
    return _scored(loaded if stream is None else open_ended(loaded, model), reading, by_document=score == DOCUMENT)


def _refuse_together(options: AnswerOptions) -> None:
    """UsageError for options that ask for two answers, or say how one is made that is not asked for."""
    asked = [name for name in ("generate", "top", "score") if options.get(name) is not None]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} ask for two answers", hint=f"leave --{asked[1]} out")


def _drawing(options: AnswerOptions) -> Drawing:
    temperature = options.get("temperature")
    return Drawing(
        1.0 if temperature is None else temperature,
        options.get("top_k"),
        options.get("top_p"),
        options.get("seed") or 0,
    )


def _continued(loaded: Loaded, reading: Reading, count: int, drawing: Drawing, tell: Listener) -> Continuation:
    """The text of up to so many tokens, told piece by piece as it is made. UsageError for more than one document."""
    panel, model = loaded.panel, reading.model.model
    if len(panel) != 1:
        raise UsageError(
            f"--generate goes on from one document, and there are {len(panel):,}",
            hint="give one, or leave --generate out for the likeliest next tokens of each",
        )
    here = reading.read(panel)
    joining, codes, parts = Joining(model, here), list[int](), list[str]()
    for code in generated(model, here, count, drawing):
        codes.append(code)
        parts.append(joining.text_of(code))
        tell(Generated(parts[-1]))
    parts.append(joining.rest())
    tell(Generated(parts[-1]))
    if len(codes) < count:
        tell(Noted(f"the document ended after {len(codes):,} tokens"))
    if isinstance(reading, Stream):
        reading.went_on(_of_codes(panel, codes))
    return Continuation("".join(parts), len(codes), loaded.notes, loaded.skipped)


def _of_codes(panel: Panel, codes: list[int]) -> Panel:
    """The panel's one document with other tokens."""
    values = np.array(codes, panel.values.dtype)[:, None]
    return replace(panel, values=values, offsets=offsets_of(np.array([len(codes)])))


def _scored(loaded: Loaded, reading: Reading, *, by_document: bool) -> TokenTable:
    """How likely every token was after those before it, or all tokens of each document."""
    panel, model = loaded.panel, reading.model.model
    codes = panel.targets.astype(np.int64)
    log_p = np.zeros(len(codes))
    rank = np.zeros(len(codes), np.int64)

    def hear(rows: Ints, logs: NDArray[np.float32]) -> None:
        own = np.take_along_axis(logs, codes[rows][:, None], axis=1)
        log_p[rows] = own[:, 0]
        rank[rows] = 1 + (logs > own).sum(axis=1)

    reading.read(panel, hear)
    lengths = panel.lengths
    if by_document:
        total = np.diff(np.concatenate([[0.0], np.cumsum(log_p)])[panel.offsets])
        perplexity = np.exp(-total / np.maximum(lengths, 1))
        every = np.arange(len(panel))
        columns = {
            "tokens": number_array(lengths, pa.int64()),
            "log_p": number_array(total),
            "perplexity": number_array(perplexity),
        }
        return _table(loaded, model, every, columns, "score")
    document = np.repeat(np.arange(len(panel)), lengths)
    position = 1 + np.arange(len(codes)) - panel.offsets[document]
    columns = {
        "position": number_array(position, pa.int64()),
        "token": text_array(list(model.vocabulary), codes),
        "log_p": number_array(log_p),
        "rank": number_array(rank, pa.int64()),
    }
    return _table(loaded, model, document, columns, "score")


def _next(loaded: Loaded, reading: Reading, top: int) -> TokenTable:
    """The likeliest next tokens of each document, the likeliest first."""
    model = reading.model.model
    logs = following(reading.model, reading.read(loaded.panel))
    top = min(top, logs.shape[1])
    codes = np.argsort(-logs, axis=1, kind="stable")[:, :top]
    p = np.exp(np.take_along_axis(logs, codes, axis=1).astype(np.float64))
    columns = {
        "rank": number_array(np.tile(np.arange(1, top + 1), len(logs)), pa.int64()),
        "token": text_array(list(model.vocabulary), codes.ravel()),
        "p": number_array(p.ravel()),
    }
    return _table(loaded, model, np.repeat(np.arange(len(logs)), top), columns, "next")


def _table(loaded: Loaded, model: TokenModel, document: Ints, columns: dict[str, pa.Array], what: str) -> TokenTable:
    ids = ids_of(loaded, model, document)
    table = pa.Table.from_arrays([*ids.values(), *columns.values()], [*ids, *columns])
    return TokenTable(table, len(ids), what, len(loaded.panel), loaded.notes, loaded.skipped)
