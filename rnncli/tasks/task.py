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
from rnncli.data.checks.seen import Trained as Remembered
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift
from rnncli.errors import SeriesRefused
from rnncli.events import Listener
from rnncli.model import Kept
from rnncli.outline import Outline
from rnncli.spec import ColumnChoices, Columns, NetworkSpec, Spec, TrainingSpec

if TYPE_CHECKING:
    from rnncli.tasks.plan import Plan, Trained

S = TypeVar("S", bound=Spec)
Weights = Mapping[str, Array]
Options = Mapping[str, Any]
Shapes = dict[str, tuple[int, ...]]
HEAD = "head."
"""Before the names of the head's tensors in a model; those of layer i begin with `layer{i}.`."""


@dataclass(frozen=True)
class Seen:
    """Crops of n series as the network sees them, and the o questions that are asked of them.

    `inputs` [n, T, I], of which the first `lengths` [n] steps of each crop are real. Question i is asked at step
    origins[i] of crop rows[i]: [o] each. `beside` holds what the head is given beside the encoder's outputs, and
    `units` what leads from what is said to the data's units: name -> [o, ...]. `targets` [o, ...] is what came, NaN
    where nobody knows. `codes` [n, T, K] are categories that the task embeds. Crop i begins at row first_row[i] of
    series[i]. `fresh` [n] says which crops do not go on from what was carried, None that all begin with the first
    state.
    """

    inputs: Array
    lengths: Array
    rows: Array
    origins: Array
    beside: Mapping[str, Array]
    targets: Array
    units: Mapping[str, Array]
    series: Ints
    first_row: Ints
    fresh: Array | None = None
    codes: Array | None = None

    @property
    def nbytes(self) -> int:
        """Memory of what the network sees."""
        return int(self.inputs.nbytes + self.targets.nbytes + sum(part.nbytes for part in self.beside.values()))


class Lesson(Protocol):
    """A panel as questions, of each series the first `ends` [series] rows: nothing behind them is looked at."""

    @property
    def ends(self) -> Ints:
        """How many rows of each series may be looked at."""

    def drawn(self, rng: Any, size: int) -> Seen:
        """A training batch: `size` crops drawn over all rows by a NumPy generator."""

    def stretch(self, rng: Any, series: Ints, first_row: Ints, rows: int) -> Seen:
        """A training batch of rows first_row[i] ... first_row[i] + rows - 1 of each series, whose inputs do not depend
        on where a stretch begins; `fresh` where that is the first row.
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
    """What the search does not see: N questions about rows of some series."""

    @property
    def series(self) -> Ints:
        """The series [N] of each."""

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each series that the search may look at."""

    def some(self, most: int) -> Self:
        """Those of as many series as have about so many."""

    def __len__(self) -> int:
        """How many there are."""


class Answers(Protocol):
    """What was said to held-out questions, beside what came."""

    def made(self, said: Floats) -> Self:
        """Other answers to the same questions: [N, ...] in the data's units."""


@dataclass(frozen=True)
class Asking:
    """Held-out questions: how they are seen, and what came (as Answers that say nothing yet)."""

    lesson: Lesson
    series: Ints
    ends: Ints
    answers: Any

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
    does), the lags that matter, in steps, what one of them is called, and the rows of a typical series.
    """

    horizon: int | None
    lags: tuple[int, ...]
    rows: int
    lag_name: str = "lag"


class Stream(Protocol):
    """What a model has seen of each series, in a file."""

    def keep(self) -> None:
        """Write it with what was consumed."""


class Answer(Protocol):
    """What a model says of new data: a table that can be written and printed."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed in the data."""

    @property
    def skipped(self) -> tuple[SeriesRefused, ...]:
        """Series that have no answer."""

    @property
    def series(self) -> int:
        """How many series have one."""

    @property
    def rows(self) -> int:
        """How many rows the table has."""

    def encode(self, format: str = "csv", *, tidy: bool = False, raw: bool = False) -> bytes:  # noqa: A002
        """The table as a file's bytes."""

    def write(self, path: str | os.PathLike[str], *, tidy: bool = False, raw: bool = False) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002
        """What is to be said of the table in a file of this format."""

    def outline(self) -> Outline:
        """What was said, and its first rows."""

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""


@dataclass(frozen=True)
class Backtest:
    """From how many origins a model is scored, how far apart and how far ahead, and whether it is trained once more
    where it has seen what is scored. `trained_on` is what it was trained on, for what is simpler and learns from it.
    """

    windows: int = 1
    stride: int | None = None
    horizon: int | None = None
    refit: bool = True
    trained_on: Any = None


@dataclass(frozen=True)
class Scored:
    """A report, whether the model was trained once more for the sake of honesty, what is new in the data since
    training (None if unknown), the series left out, and the first step that was made from answers (None: nowhere).
    """

    report: Any
    refitted: bool
    drift: Drift | None = None
    skipped: tuple[SeriesRefused, ...] = ()
    beyond_trained_from: int | None = None


Again = Callable[[Loaded, Any], Any]
"""From other rows and a model, the model that is trained in the same way on these."""


class Model(Protocol):
    """A trained model of any task, as its file holds it."""

    @property
    def task(self) -> Task[Any]:
        """What it was trained for."""

    @property
    def network(self) -> NetworkSpec:
        """Its network."""

    @property
    def spec(self) -> Any:
        """What its answers are a function of."""

    @property
    def training(self) -> TrainingSpec:
        """How it was trained."""

    @property
    def columns(self) -> Columns:
        """What the columns of its data are."""

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights, each with a leading axis of members."""

    @property
    def record(self) -> dict[str, Any]:
        """What its training is remembered for."""

    @property
    def series(self) -> int:
        """How many series it was trained on."""

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What it is, one line each, for people."""

    def described(self) -> dict[str, Any]:
        """What it is, as JSON: columns, frequency, specs."""

    def settings(self) -> dict[str, Any]:
        """What it settles, under the names of the options that would say it."""

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes. OutputLocked or StorageFailed."""


class Task(Kept, Protocol[S]):
    """What a sequence model is trained for; S is what its answer is a function of, as a file says it."""

    name: str

    def lesson(self, panel: Panel, spec: S, ends: Ints) -> Lesson:
        """The panel as questions."""

    def head_shapes(self, spec: S, network: NetworkSpec) -> Shapes:
        """Names and shapes of the head's weights, of one member."""

    def begin(self, spec: S, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """How the head's weights begin; what is not named begins with zeros."""

    def enter(self, spec: S, weights: Weights, seen: Seen, xp: Any) -> Array:
        """What the encoder sees: [n, T, I]. Of most tasks that is the inputs as they are."""

    def read(self, spec: S, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:
        """What the head reads of the encoder's outputs [n, T, H]: [o, R]."""

    def head(self, spec: S, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
        """What is said, from what was read [o, R] and what is known beside it: [o, ...]."""

    def loss(self, spec: S, said: Array, targets: Array, xp: Any) -> Array:
        """How wrong that is, 0 where nobody knows: [o]."""

    def answers(self, spec: S, said: Floats, units: Mapping[str, Array]) -> Floats:
        """What was said, in the data's units: [o, ...]."""

    def context(self, spec: S) -> int:
        """Steps of a crop."""

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if there is nothing to learn from."""

    def visible(self, panel: Panel, plan: Plan[S]) -> Panel:
        """What a candidate sees of the panel."""

    def hold_out(self, panel: Panel, spec: S) -> Holdout:
        """What the search may not see."""

    def judged(self, spec: S, holdout: Any, *, often: bool) -> Any:
        """The part of it by which weights are judged: again and again (`often`), or once in the end."""

    def held_out(self, panel: Panel, spec: S, holdout: Any) -> Asking:
        """The held-out questions."""

    def further(self, panel: Panel, spec: S, holdout: Any) -> tuple[Asking, ...]:
        """Other questions at the same places, for what is settled in the end."""

    def losses(self, spec: S, found: Any) -> Floats:
        """How wrong held-out answers are, NaN where nobody knows: [N]."""

    def choose(self, plan: Plan[S], found: list[Any]) -> int:
        """Which candidate goes on, from the held-out answers of each; the same one whenever it is asked."""

    def settle(self, panel: Panel, trained: Trained[S]) -> Any:
        """What the held-out answers decide, when all is trained."""

    def last_questions(self, panel: Panel, spec: S) -> tuple[Ints, Ints]:
        """Series of which there is a question with a known answer, and the rows up to the last one of each."""

    def facts(self, panel: Panel, spec: S) -> Facts:
        """What the diagnosis says of it."""

    def remembered(self, model: Any, horizon: int | None) -> Remembered:
        """What a model knows of its data, for a check of others."""

    def refuse_senseless(self, options: Options) -> None:
        """UsageError for options by which nothing can be trained, before any work."""

    def load_new(self, data: Any, choices: ColumnChoices, options: Options, tell: Listener) -> Loaded:
        """Data of which nothing is known."""

    def load_known(self, data: Any, choices: ColumnChoices, model: Any, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""

    def load_to_train(self, data: Any, choices: ColumnChoices, options: Options, start: Any, tell: Listener) -> Loaded:
        """What is learnt from, read as that of the model to start from was, if there is one."""

    def seen_rows(self, panel: Panel, spec: S) -> Panel:
        """The rows as training sees them."""

    def planned(self, loaded: Loaded, options: Options) -> Plan[S]:
        """Everything that is decided before the first step."""

    def planned_on(self, loaded: Loaded, start: Any, options: Options) -> Plan[S]:
        """A training that goes on from a model."""

    def planned_again(self, loaded: Loaded, model: Any) -> Plan[S]:
        """A model's training, once more on other rows."""

    def inferred(self, loaded: Loaded, plan: Plan[S]) -> str:
        """What was found in the data, in one line."""

    def settled(self, loaded: Loaded, plan: Plan[S], trained: Trained[S], start: Any) -> Any:
        """The model that a training leaves, with the record of it."""

    def refitted(self, loaded: Loaded, trained: Trained[S]) -> Any:
        """The model of a training whose record nobody reads."""

    def unsettled(self, loaded: Loaded, trained: Trained[S]) -> Any:
        """The model of a training that broke off."""

    def verdict(self, model: Any) -> str:
        """In one sentence, whether the model is worth having."""

    def outcome(self, model: Any) -> dict[str, Any]:
        """What validation decided, as JSON."""

    def stream(self, path: str | os.PathLike[str], model: Any, digest: str) -> Any:
        """What was seen so far, as the file at `path` has it. ModelRefused if that is not a state of this model."""

    def answer(
        self, data: Any, model: Any, choices: ColumnChoices, options: Options, tell: Listener, stream: Any
    ) -> Answer:
        """What the model says of the data, going on from a stream where there is one."""

    def evaluated(
        self, data: Any, model: Any, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """How well the model answers, beside what is simpler."""


def head_weights(weights: Weights) -> dict[str, Array]:
    """The head's weights, without their prefix."""
    return {name.removeprefix(HEAD): weight for name, weight in weights.items() if name.startswith(HEAD)}


def at_origins(outputs: Array, seen: Seen) -> Array:
    """The encoder's output at the step of each question: [n, T, H] -> [o, H]."""
    return outputs[seen.rows, seen.origins]
