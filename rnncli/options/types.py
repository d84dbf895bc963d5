"""The types of options for type checkers: which keywords a Python function takes beside its own arguments.

What each means, and how its flag is called, is in the tables beside this file. None and what is left out mean that the
data, or the model, decide.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, TypedDict, cast


class Holder(Protocol):
    """What holds a model: the result of `train` or `info`, or the model itself."""

    @property
    def model(self) -> Any:
        """The model."""


Model = str | os.PathLike[str] | Holder


class ColumnOptions(TypedDict, total=False):
    """Options of how the data are read: see `ColumnChoices`."""

    time: str | None
    id: str | Iterable[str] | None
    target: str | Iterable[str] | None
    time_format: str | None
    decimal: str | None
    thousands: str | None
    separator: str | None
    encoding: str | None
    past: Iterable[str]
    future: Iterable[str]
    static: Iterable[str]
    wide: bool
    strict: bool
    format: str | None
    sheet: str | None
    zone: str | None
    as_of: str | None
    on_bad_series: str | None
    max_rows: int | None
    max_bytes: int | None
    max_columns: int | None
    memory: int | None
    cache: str | None
    query: str | None


class LabelledOptions(TypedDict, total=False):
    """Options of what is labelled, and how that is read."""

    label: str | None
    per_step: bool
    label_kind: Literal["class", "number"] | None
    channels: Iterable[str]
    row_per_sequence: bool
    group: str | None


class TokenOptions(TypedDict, total=False):
    """Options of what a token is, and which are known: see `TokenChoices`; its channels are among those of labels."""

    split: Literal["char", "word", "space", "byte"] | None
    text: str | None
    token: str | None
    multi_hot: bool
    set_separator: str | None
    min_count: int | None
    vocabulary: int | None


class FrameOptions(TypedDict, total=False):
    """Where frames are, and how their pixels are stored: see `FrameChoices`."""

    frame: str | None
    grid: str | Iterable[int] | None
    frame_dtype: str | None
    frame_scale: float | None
    frame_missing: str | float | None


class FrameLearningOptions(FrameOptions, total=False):
    """Where frames are, and what is learnt of them."""

    loss: Literal["squared", "absolute", "bernoulli", "quantiles"] | None


class ReadingOptions(ColumnOptions, LabelledOptions, TokenOptions, FrameOptions, total=False):
    """How the data are read, and what is labelled, a token or a frame in them."""


class LabelOptions(LabelledOptions, total=False):
    """Options of what is labelled, and how that is learnt."""

    online: bool
    pooling: Literal["last", "mean", "max", "attention"] | None
    class_weights: Literal["none", "balanced"] | None
    label_smoothing: float | None


class ArchitectureOptions(ColumnOptions, total=False):
    """The network and what it forecasts."""

    horizon: int | None
    season: int | Iterable[int] | None
    context: int | None
    cell: str | None
    activation: str | None
    layers: int | None
    hidden: int | None
    dropout: float | None
    recurrent_dropout: float | None
    init: str | None
    members: int | None
    from_scratch: bool
    plain_stack: bool
    layer_norm: bool
    attention: bool | None
    quantiles: Iterable[float] | None
    seed: int | None


class InspectOptions(ArchitectureOptions, LabelOptions, TokenOptions, FrameLearningOptions, total=False):
    """A network whose gradients are inspected, with what decides on its steps."""

    learning_rate: float | None
    batch: int | None
    clip: float | None


class TrainOptions(ArchitectureOptions, LabelOptions, TokenOptions, FrameLearningOptions, total=False):
    """Options of training: `time_budget` in seconds, `learning_rate` the peak, `clip` the largest gradient norm,
    `clip_value` the largest number in a gradient, `tbptt` through how many steps gradients go back at most; `ngrams` is
    the highest order of those beside a network of tokens.

    All values lie between `min` and `max`, and so do the forecasts. `holidays` are those of countries or their parts
    (US, US-CA), as covariates; with `keep_covariates` these and all others stay whatever held-out rows say of them.

    `fresh` starts over whatever is there, `warm_start` is a model to begin with; a training under way is kept at least
    `checkpoint_every` seconds apart, and waits `lock_wait` seconds for another that writes the same model. Of
    gradients is told every `watch_gradients` steps, and a training that goes as `fail_on` names (exploding, collapse,
    plateau) is stopped: GateFailed.
    """

    holidays: Iterable[str]
    min: float | None
    max: float | None
    keep_covariates: bool
    steps: int | None
    time_budget: float | None
    learning_rate: float | None
    batch: int | None
    clip: float | None
    clip_value: float | None
    tbptt: int | None
    ngrams: int | None
    device: str | None
    threads: int | None
    watch_gradients: int | None
    fail_on: Iterable[str]
    tensorboard: str | os.PathLike[str] | None
    mlflow: str | None
    fresh: bool
    warm_start: Model | None
    checkpoint_every: float | None
    lock_wait: float | None


class TuneOptions(ArchitectureOptions, total=False):
    """What a search for a network does not look for: how data are read, what is forecast, and what was said."""

    holidays: Iterable[str]
    min: float | None
    max: float | None
    keep_covariates: bool
    steps: int | None
    learning_rate: float | None
    batch: int | None
    clip: float | None
    clip_value: float | None
    device: str | None
    threads: int | None
    fresh: bool
    lock_wait: float | None


class GeneratingOptions(TypedDict, total=False):
    """What a model of documents says of them: how they go on, or how likely they were."""

    generate: int | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    seed: int | None
    top: int | None
    score: Literal["token", "step", "document"] | None


class AskedOptions(ColumnOptions, GeneratingOptions, total=False):
    """How the data are read, and what a model of documents says of them."""


class WritingOptions(TypedDict, total=False):
    """How a table is written: see `Style`."""

    out_format: str | None
    out_separator: str | None
    out_decimal: str | None
    csv_raw: bool


class WrittenOptions(WritingOptions, total=False):
    """How a table of results is written, and in what shape."""

    digits: int | None
    tidy: bool
    out_wide: bool


class KeepingOptions(TypedDict, total=False):
    """How forecasts that are scored are kept in a file, and what becomes of one that is there: see `evaluate`."""

    if_exists: Literal["append", "replace", "error"] | None
    lock_wait: float | None
    out_separator: str | None
    out_decimal: str | None
    digits: int | None


class PredictOptions(AskedOptions, WrittenOptions, total=False):
    """From what and when a forecast is made, and into what: see `predict`."""

    future_data: Any
    state: str | os.PathLike[str] | None
    table: str | None
    if_exists: Literal["append", "replace", "error"] | None
    max_age: float | None
    now: str | None
    fail_on_drift: bool
    lock_wait: float | None
    plot: str | os.PathLike[str] | None
    threads: int | None


class PlotOptions(ColumnOptions, total=False):
    """How the data are read, what is known ahead, and what becomes of a file that is there: see `plot`."""

    future_data: Any
    if_exists: Literal["append", "replace", "error"] | None
    lock_wait: float | None


class ReportOptions(ColumnOptions, total=False):
    """How the data are read, and what becomes of a file that is there: see `report`."""

    if_exists: Literal["append", "replace", "error"] | None
    lock_wait: float | None


class AnswerOptions(PredictOptions, total=False):
    """Every option of `predict`, as the tasks take them; how many rows of the past a picture is to have, and whether
    the answer may be made while it is written, some of it at a time, so that it is gone then.
    """

    horizon: int | None
    quantiles: tuple[float, ...] | None
    point: Literal["median", "mean"]
    history: int | None
    in_parts: bool


def columns_of(options: Mapping[str, object]) -> ColumnOptions:
    """The options that say how the data are read, without all others."""
    columns = {name: value for name, value in options.items() if name in ColumnOptions.__annotations__}
    return cast("ColumnOptions", columns)
