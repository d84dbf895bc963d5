"""What the program knows of a task: which questions it asks of rows, how a network answers, and how wrong that is.

A question is asked at an origin, a step of a crop. The encoder turns a crop's inputs into one output a step; the task's
head turns what it reads of them into what is said, and the loss compares that with what came. All three are formulas
over an array namespace `xp` (numpy or torch), written once for training, prediction, streaming and diagnosis. The rest
is NumPy. Nothing else in the program knows what an answer is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Floats, Ints
from rnncli.data.checks.finding import Finding
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift
from rnncli.errors import SeriesRefused
from rnncli.evaluation.shown import ScoreReport
from rnncli.events import Listener
from rnncli.layers.rows import Rows
from rnncli.model import Kept
from rnncli.options.types import AnswerOptions, TrainOptions
from rnncli.spec import ColumnChoices, Columns, NetworkSpec, Spec, TrainingSpec
from rnncli.tasks.answer import Answer
from rnncli.tasks.seen import Division, Seen, Shapes, Weights

if TYPE_CHECKING:
    from rnncli.charts.fans import Fans
    from rnncli.evaluation.kept import KeptForecasts, LongKept
    from rnncli.tasks.plan import Plan, Trained

S = TypeVar("S", bound=Spec)
Options = Mapping[str, Any]


class Lesson(Protocol):
    """A panel as questions, of each series the first `ends` [series] rows: nothing behind them is looked at."""

    @property
    def ends(self) -> Ints:
        """The number of rows of each series that may be looked at: [series]."""

    def drawn(self, rng: np.random.Generator, size: int, by: Division | None = None) -> Seen:
        """A training batch: `size` crops drawn over all rows by a NumPy generator; of a batch that is divided `by`
        something, this process's share, which is drawn as it is in the whole.
        """

    def stretch(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, rows: int, by: Division | None = None
    ) -> Seen:
        """A training batch of rows first_row[i] ... first_row[i] + rows - 1 of each series, whose inputs do not depend
        on where a stretch begins; `fresh` where that is the first row. It is divided as `drawn` divides.
        """

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions that are asked after row ends[i] - 1 of each series[i], some at a time; those about one series
        stand together, and their ends ascend.
        """

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """Crops of so many steps (all that there are if None) that end with row ends[i] - 1 of each series[i], each
        with the question asked at its last step.
        """


class Holdout(Protocol):
    """The part of a panel that the search does not see: N questions about rows of some series."""

    @property
    def series(self) -> Ints:
        """The series [N] of each question."""

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each series that the search may look at."""

    def some(self, most: int) -> Self:
        """The questions of so many whole series as have about `most` questions."""

    def __len__(self) -> int:
        """The number of questions that are held out."""


class Answers(Protocol):
    """Answers to held-out questions, beside the truth."""

    @property
    def series(self) -> Ints:
        """The series [N] that each question is about."""

    def made(self, said: Floats) -> Self:
        """Other answers to the same questions: [N, ...] in the data's units."""


@dataclass(frozen=True)
class Asking:
    """Held-out questions: how they are seen, and what came (as Answers that say nothing yet)."""

    lesson: Lesson
    series: Ints
    ends: Ints
    answers: Answers

    def seen(self) -> Iterator[Seen]:
        """The questions, some at a time."""
        return self.lesson.at(self.series, self.ends)


class Draw(Protocol):
    """Random first weights."""

    def uniform(self, shape: tuple[int, ...], within: float) -> Array:
        """From [-within, within)."""

    def normal(self, shape: tuple[int, ...], mean: float, deviation: float) -> Array:
        """From a normal distribution."""


@dataclass(frozen=True)
class Facts:
    """What the gradient diagnosis is told of a task: how many steps ahead an answer reaches (None where no answer
    does), the lags that matter, in steps, what one of them is called, and the rows of a typical series; whether a
    series is read `whole` and asked about once, at its end; what a step is, if it is no row of the calendar; what its
    `questions` are called; the option that says how far back a training looks; how many steps of a crop come `after`
    the last row that is seen; and how many pixels of a frame, on a side, are one of the network's grid.
    """

    horizon: int | None
    lags: tuple[int, ...]
    rows: int
    lag_name: str = "lag"
    whole: bool = False
    step: str = ""
    questions: str = "origins"
    context_option: str = "context"
    after: int = 0
    patch: int = 1


@dataclass(frozen=True)
class Points:
    """Middle answers that are numbers, all in one unit: what was `said`, what `came` (NaN where nobody knows), and
    `plain` answers that need no network, by name: [o, K] each.
    """

    said: Array
    came: Array
    plain: Mapping[str, Array]


class Stream(Protocol):
    """A state file: what a model has seen of each series so far."""

    def keep(self) -> None:
        """Write the file with the rows that were consumed since it was read. OutputLocked or StorageFailed."""


@dataclass(frozen=True)
class InParts:
    """What is wanted of scores that are made some series at a time, beside those over all series: the losses of every
    forecast, for `paired` tests, and what is to `keep` the forecasts (None: nothing).
    """

    paired: bool = False
    keep: Callable[[LongKept, Listener], None] | None = None


@dataclass(frozen=True)
class Backtest:
    """From how many origins a model is scored (None: one, or as many as there are from `start` on), how far apart and
    how far ahead, and whether it is trained once more where it has seen what is scored. Rows before the time `start`
    are not scored, and those after `until` not seen. `trained_on` is what it was trained on, for what is simpler and
    learns from it; `group` a column by which scores are split. So many `workers` forecast side by side (None: one for
    each processor). `in_parts` says what is wanted where large data may be scored some series at a time; None where
    they may not.
    """

    windows: int | None = None
    stride: int | None = None
    horizon: int | None = None
    refit: bool = True
    trained_on: Data | None = None
    group: str | None = None
    start: str | None = None
    until: str | None = None
    workers: int | None = None
    in_parts: InParts | None = None


@dataclass(frozen=True)
class LookedAt:
    """What a check found in data; how many rows and series could be read, what their columns were `taken` for (""
    where nothing could), and what was `seen`, if a repaired copy can be made of it.
    """

    findings: tuple[Finding, ...]
    rows: int = 0
    series: int = 0
    taken: str = ""
    seen: Any = None


@dataclass(frozen=True)
class Scored:
    """A report, whether the model was trained once more for the sake of honesty, what is new in the data since
    training (None if unknown), the series left out, and the first step that was made from answers (None: nowhere);
    of forecasts also those of the last window, to be drawn, the model that made them: fitted, or trained once more,
    and all of them, to be kept.
    """

    report: ScoreReport
    refitted: bool
    drift: Drift | None = None
    skipped: tuple[SeriesRefused, ...] = ()
    beyond_trained_from: int | None = None
    fans: Fans | None = None
    model: Any = None
    forecasts: KeptForecasts | None = None


Again = Callable[[Loaded, Any], Any]
"""From other rows and a model, the model that is trained in the same way on these."""


class Model(Protocol):
    """A trained model of any task, as its file holds it."""

    @property
    def task(self) -> Task[Any]:
        """The task that it was trained for."""

    @property
    def network(self) -> NetworkSpec:
        """Its network."""

    @property
    def spec(self) -> Any:
        """The task's part of its description: all that its answers depend on beside network and weights."""

    @property
    def training(self) -> TrainingSpec:
        """The settings of its training."""

    @property
    def columns(self) -> Columns:
        """The columns of its data, by their meaning."""

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights, each with a leading axis of members."""

    @property
    def record(self) -> dict[str, Any]:
        """The record of its training, as JSON: rows, scores, decisions."""

    @property
    def unfitted(self) -> bool:
        """Whether no data have taught it."""

    def for_data(self, loaded: Loaded, horizon: int | None = None) -> Self:
        """The model as it answers these data: itself, where training has settled that."""

    @property
    def series(self) -> int:
        """The number of series that it was trained on."""

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""

    def described(self) -> dict[str, Any]:
        """The model described as JSON: columns, frequency, specs."""

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes. OutputLocked or StorageFailed."""


class Task(Kept, Protocol[S]):
    """What a sequence model is trained for; S is what its answer is a function of, as a file says it. People read of
    its series as `units`: series, sequences. What it generates is `text`, told as it is made, or a table.
    """

    name: str
    units: str
    text: bool

    def lesson(self, panel: Panel, spec: S, ends: Ints) -> Lesson:
        """The panel as questions."""

    def head_shapes(self, spec: S, network: NetworkSpec) -> Shapes:
        """Names and shapes of the head's weights, of one member."""

    def begin(self, spec: S, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """The head's first weights, by name; those that are not named begin with zeros."""

    def enter(self, spec: S, weights: Weights, seen: Seen, xp: Any) -> Array | Rows:
        """The encoder's inputs: [n, T, I]. For most tasks these are the inputs of the crops as they are."""

    def read(self, spec: S, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:
        """The states that the head starts from, taken from the encoder's outputs [n, T, H]: [o, R]."""

    def head(self, spec: S, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
        """The network's answers [o, ...], from the states that `read` gives [o, R] and what is known beside them."""

    def loss(self, spec: S, said: Array, targets: Array, xp: Any) -> Array:
        """The loss of each question, 0 where the answer is not known: [o]."""

    def answers(self, spec: S, said: Floats, units: Mapping[str, Array]) -> Floats:
        """The network's answers in the data's units: [o, ...]."""

    def context(self, spec: S) -> int:
        """Steps of a crop."""

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if there is nothing to learn from."""

    def visible(self, panel: Panel, plan: Plan[S]) -> Panel:
        """The part of the panel that a candidate of a plan is trained on."""

    def hold_out(self, panel: Panel, spec: S) -> Holdout:
        """The questions that are kept out of the search, by which weights and candidates are judged."""

    def judged(self, spec: S, holdout: Any, *, often: bool) -> Holdout:
        """The part of it by which weights are judged: again and again (`often`), or once in the end."""

    def held_out(self, panel: Panel, spec: S, holdout: Any) -> Asking:
        """The held-out questions."""

    def further(self, panel: Panel, spec: S, holdout: Any) -> tuple[Asking, ...]:
        """Other questions at the same places, for what is settled in the end."""

    def losses(self, spec: S, found: Any) -> Floats:
        """The loss of each held-out answer, NaN where the truth is not known: [N]."""

    def choose(self, plan: Plan[S], found: list[Any]) -> int:
        """Which candidate goes on, from the held-out answers of each; the same one whenever it is asked."""

    def settle(self, panel: Panel, trained: Trained[S]) -> Any:
        """The decisions that follow from the held-out answers when all is trained, such as a calibration."""

    def last_questions(self, panel: Panel, spec: S) -> tuple[Ints, Ints]:
        """Series of which there is a question with a known answer, and the rows up to the last one of each."""

    def facts(self, panel: Panel, spec: S) -> Facts:
        """The facts about a panel and a spec that the gradient diagnosis needs."""

    def points(self, spec: S, said: Array, seen: Seen) -> Points | None:
        """What the head said of some crops as points, beside plain ones; None where plain answers are no points."""

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: Any) -> LookedAt:
        """The findings of a check in data to train on, or, with a model, with data that it is to answer."""

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for options by which nothing can be trained, before any work."""

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Data of which nothing is known."""

    def load_known(self, data: Data, choices: ColumnChoices, model: Any, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: Any, tell: Listener
    ) -> Loaded:
        """Data to train on, read as the data of the model to start from were, if there is one."""

    def seen_rows(self, panel: Panel, spec: S) -> Panel:
        """The rows as training sees them."""

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[S]:
        """The plan of a training: everything that is decided before its first step."""

    def planned_on(self, loaded: Loaded, start: Any, options: TrainOptions) -> Plan[S]:
        """The plan of a training that goes on from a model."""

    def planned_again(self, loaded: Loaded, model: Any) -> Plan[S]:
        """The plan of a model's training, once more on other rows."""

    def inferred(self, loaded: Loaded, plan: Plan[S]) -> str:
        """A line about what was inferred from the data."""

    def settled(self, loaded: Loaded, plan: Plan[S], trained: Trained[S], start: Any) -> Any:
        """The model that a training leaves, with the record of it."""

    def refitted(self, loaded: Loaded, trained: Trained[S]) -> Any:
        """The model that a repeated training leaves, with an empty record."""

    def unsettled(self, loaded: Loaded, trained: Trained[S]) -> Any:
        """The model of a training that broke off."""

    def verdict(self, model: Any) -> str:
        """One sentence that says whether the model is better than simple ones."""

    def outcome(self, model: Any) -> dict[str, Any]:
        """The decisions of validation, as JSON."""

    def stream(self, path: str | os.PathLike[str], model: Any, digest: str) -> Stream:
        """The state file at `path`, of what the model has seen so far. ModelRefused if it is not of this model."""

    def answer(
        self, data: Data, model: Any, choices: ColumnChoices, options: AnswerOptions, tell: Listener, stream: Any
    ) -> Answer:
        """The model's answer to the data, going on from a stream where there is one."""

    def groupings(self, model: Any, group: str | None) -> tuple[str, ...]:
        """By what scores of the model can be split, known before they are; `group` is a column that was named."""

    def evaluated(
        self, data: Data, model: Any, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """The scores of the model on the data, beside those of simple baselines."""
