"""What a model says of new data, in NumPy alone: the next rows of every series, or what else it was trained for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from rnncli import files
from rnncli.data.parts import SeriesApart
from rnncli.data.sinks.file import takes_parts
from rnncli.data.sinks.sink import Into, Sink, sink_of
from rnncli.data.writers.results import Style
from rnncli.data.writers.suffix import OF_FRAMES, format_of
from rnncli.errors import UsageError
from rnncli.events import Listener, Noted, unheard
from rnncli.memory import give_back
from rnncli.options import table
from rnncli.options.types import AnswerOptions, Model, PredictOptions
from rnncli.registry import BASE, WRITERS
from rnncli.tasks.answer import Answer
from rnncli.tasks.reading import listed
from rnncli.workflows.arguments import public
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices, style_of
from rnncli.workflows.paths import keep_apart

if TYPE_CHECKING:
    from rnncli.tasks.task import Task


@public
def predict(
    data: Any,
    model: Model = BASE,
    *,
    output: str | os.PathLike[str] | None = None,
    horizon: int | None = None,
    quantiles: Iterable[float] | None = None,
    point: Literal["median", "mean"] = "median",
    on_event: Listener | None = None,
    **options: Unpack[PredictOptions],
) -> Answer:
    """Forecast the rows that follow each series of `data`; with `output`, write them to that file too.

    `future_data` are tables of what is known of the rows to forecast: time, id and future covariates, in the forms that
    `data` can have. What `horizon` has beyond the trained one is forecast from forecasts. `quantiles` lie between the
    trained levels and are interpolated. `if_exists` says what is done where `output` is there; `max_age` is how many
    seconds the last observation of a series may lie before `now` (default: `as_of`, or the clock); `fail_on_drift`
    writes nothing where the data have drifted. `state` is a file that keeps what the network has seen of each series:
    only rows that it has not seen are consumed, and the forecast is that of a network which saw them all. Of a model
    that labels steps as they come (`online`), the rows that it has not seen are labelled. A model of documents gives
    the likeliest next tokens, how likely those of `data` were (`score`), or goes on with so many (`generate`): text, of
    which `on_event` is told as it is made, or sets; with `state`, all data go on from where they ended before. `plot`
    is a picture of the largest series with their forecasts (.png, .svg, .html), or of a model of frames the first
    sequences and their forecast (.png, or a loop of one: .gif).

    Raises UsageError, InputRefused, ModelRefused, InputStale, GateFailed, OutputLocked or StorageFailed.
    """
    levels = None if quantiles is None else tuple(quantiles)
    said: AnswerOptions = {"horizon": horizon, "quantiles": levels, "point": point, "history": None, "in_parts": False}
    return predicted(data, model, output, on_event or unheard, {**options, **said})


def predicted(
    data: Any,
    model: Model,
    output: str | os.PathLike[str] | None,
    tell: Listener,
    options: AnswerOptions,
    *,
    in_parts: bool = False,
) -> Answer:
    """What `predict` does; where it may be done `in_parts`, a long table is made while it is written to the file, and
    is gone then.
    """
    refuse_what_cannot_go(data, options)
    keep_apart("predict", {**options, "data": data, "model": model, "output": output})
    state, wait, style = options.get("state"), options.get("lock_wait") or 0.0, style_of(options)
    sink = None if output is None else sink_of(output, into_of(options, wait))
    if sink is not None:
        sink.check()
    if state is not None:
        files.check_writable(state)
    with nullcontext() if sink is None else sink.held(wait), files.locked(state, wait):
        if sink is not None and options.get("if_exists") == "error":
            sink.refuse_existing()
        found = given(model)
        task = found.model.task
        if sink is not None:
            _refuse_unfit(sink, task, options)
        point = options.get("point")
        table.refuse_of_other_task({**options, "point": None if point == "median" else point}, task.name, by_model=True)
        plot = options.get("plot")
        if plot is not None:
            from rnncli.workflows.pictures import check_plot

            check_plot(plot, task.name)
        stream = None if state is None else task.stream(state, found.model, found.digest)
        in_parts = in_parts and plot is None and sink is not None and takes_parts(sink, style)
        asked: AnswerOptions = {**options, "in_parts": in_parts}
        made = partial(_answer, task, data, found.model, stream=stream)
        answer = made(asked, tell) if sink is None else _written(sink, made, asked, tell, style, found.digest)
        for line in () if sink is None else answer.remarks(sink.format):
            tell(Noted(line))
        if plot is not None:
            from rnncli.workflows.pictures import draw

            draw(plot, answer, tell)
        if stream is not None:
            stream.keep()
    return answer


def into_of(options: PredictOptions, wait: float) -> Into:
    """What was said of where the answer goes."""
    formats = (*WRITERS, *OF_FRAMES)
    return Into(options.get("out_format"), formats, options.get("table"), options.get("if_exists"), wait)


def _answer(task: Task[Any], data: Any, model: Any, asked: AnswerOptions, tell: Listener, *, stream: Any) -> Answer:
    return task.answer(data, model, column_choices(asked), asked, tell, stream)


def _written(
    sink: Sink,
    made: Callable[[AnswerOptions, Listener], Answer],
    asked: AnswerOptions,
    tell: Listener,
    style: Style,
    key: str,
) -> Answer:
    """The answer, when it is written; some series at a time only where their rows are together."""
    heard: list[object] = []

    def hear(event: Any) -> None:
        heard.append(event)
        tell(event)

    answer = made(asked, hear)
    try:
        _write(sink, answer, style, key)
    except SeriesApart:
        answer = made({**asked, "in_parts": False}, lambda event: None if event in heard else tell(event))
        _write(sink, answer, style, key)
    return answer


def _write(sink: Sink, answer: Answer, style: Style, key: str) -> None:
    give_back()  # a file is as large again
    if sink.format in OF_FRAMES:
        sink.put(list(answer.pieces(sink.format, **asdict(style))))
    else:
        sink.write(answer.results(style), style, key)


def _refuse_unfit(sink: Sink, task: Task[Any], options: PredictOptions) -> None:
    """UsageError where what a model says cannot be written there."""
    if task.name != "frames" and sink.format in OF_FRAMES:
        format_of(sink.name)
    if task.text and options.get("generate") is not None:
        raise UsageError("--generate writes text, and --output a table", hint="leave --output out: > FILE keeps it")


def _refuse_without_drawing(options: PredictOptions) -> None:
    """UsageError where an option says how something is drawn, and nothing is."""
    given = [name for name in ("temperature", "top_k", "top_p", "seed") if options.get(name) is not None]
    if given and options.get("generate") is None:
        flag = given[0].replace("_", "-")
        raise UsageError(f"--{flag} says how --generate draws, and nothing is generated", hint=f"leave --{flag} out")


def refuse_what_cannot_go(data: Any, options: PredictOptions) -> None:
    """UsageError where data or options contradict one another."""
    _refuse_twice(data, options)
    _refuse_without_drawing(options)


def _refuse_twice(data: Any, options: PredictOptions) -> None:
    """UsageError if standard input would be read twice."""
    ahead = options.get("future_data")
    every = [*listed(data), *([] if ahead is None else listed(ahead))]
    if sum(isinstance(item, str) and item == "-" for item in every) > 1:
        raise UsageError("standard input can be read once", hint="name a file instead of one -")
