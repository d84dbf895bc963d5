"""The adding problem and the latch as tables of series, from file to forecast by the program's own commands.

    python -m tests.benchmarks.long_memory_tables                   # the second table of README.md here
    python -m tests.benchmarks.long_memory_tables adding 100 lstm 'rnn*2000 --activation relu --init identity'

A series is four episodes. In each, inputs are seen for so many steps while the target is missing; it is 0 in the last
of them, and in the row after that, which is `asked` ahead of time, it is the answer. What was seen more than a row ago
is nowhere but in the state of the network, and the answers asked for at the end are those of series never seen before.
A training step goes through an episode of each of its series, the state of the last one carried on.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from torch import Generator

from rnncli.cells.named import layers_of
from rnncli.data.arrow import Floats, floats
from tests.benchmarks.long_memory import BATCH, HIDDEN, RATE, TASKS

TRAINED, TESTED, EPISODES = 1000, 500, 4
MEANS = {"adding": 1.0, "latch": 0.5}  # of the answers, which the tables hold less this
COLUMNS = ["--id", "series", "--time", "step", "--target", "answer", "--future", "asked"]
FIXED = ["--season", "1", "--horizon", "1", "--keep-covariates", "--threads", "1"]


@dataclass(frozen=True)
class Answered:
    """Mean squared error of the forecasts for fresh series, that of their mean, and CPU seconds of each command."""

    error: float
    baseline: float
    train: float
    predict: float


TABLE = (
    ("adding", "200", "lstm*1500", "gru*1500", "mingru,mingru*1500", "lru,lru*1000", "rnn*1000"),
    ("adding", "600", "lstm*1500"),
    ("latch", "200", "lstm*600", "gru*600", "lru,lru*600", "rnn*600"),
)


def table(task: str, steps: int, series: int, episodes: int, seed: int) -> pa.Table:
    """Series of so many episodes one after the other."""
    count, rows = series * episodes, steps + 1
    x, wanted = TASKS[task].batch(count, steps, Generator().manual_seed(seed))
    inputs = np.concatenate([x.numpy().astype(np.float64), np.zeros((count, 1, x.shape[2]))], axis=1)
    answer, asked = np.full((count, rows), np.nan), np.zeros((count, rows))
    answer[:, -2], answer[:, -1] = 0, wanted.numpy() - MEANS[task]
    asked[:, -1] = 1
    columns = {
        "series": np.repeat([f"s{number}" for number in range(series)], episodes * rows).tolist(),
        "step": np.tile(np.arange(episodes * rows), series),
        "answer": pa.array(answer.ravel(), mask=np.isnan(answer.ravel())),
        "asked": asked.ravel(),
    }
    return pa.table(columns | {f"input{i}": inputs[..., i].ravel() for i in range(inputs.shape[2])})


def without_answers(asked: pa.Table, rows: int) -> tuple[pa.Table, Floats]:
    """The same series with the last of their `rows` rows not answered yet, and these answers."""
    answers = floats(asked["answer"]).reshape(-1, rows).copy()
    wanted = answers[:, -1].copy()
    answers[:, -1] = np.nan
    blank = pa.array(answers.ravel(), mask=np.isnan(answers.ravel()))
    return asked.set_column(asked.column_names.index("answer"), "answer", blank), wanted


def answered(task: str, steps: int, cell: str, most: int, *options: str) -> Answered:
    """Train a cell, or a list of them, for `most` steps, and ask the model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen, asked, model, out = (
            folder / file for file in ("seen.parquet", "asked.parquet", "m.safetensors", "f.parquet")
        )
        parquet.write_table(table(task, steps, TRAINED, EPISODES, 0), seen)
        fresh, wanted = without_answers(table(task, steps, TESTED, 1, 1), steps + 1)
        parquet.write_table(fresh, asked)
        past = ",".join(f"input{i}" for i in range(TASKS[task].inputs))
        network = f"--cell {cell} --hidden {HIDDEN} --members 1 --dropout 0 --context {2 * (steps + 1)}".split()
        network += ["--tbptt", str(steps + 1), *([] if layers_of(cell) else ["--layers", "1"])]
        network += [] if "--init" in options else ["--init", f"chrono:{steps}"]
        trained = f"--steps {most} --batch {BATCH}".split()
        trained += [] if "--learning-rate" in options else ["--learning-rate", str(RATE)]
        train = seconds(
            "train", str(seen), "-o", str(model), *COLUMNS, "--past", past, *FIXED, *network, *trained, *options
        )
        predict = seconds("predict", str(asked), "-m", str(model), "-o", str(out))
        forecast = floats(parquet.read_table(out)["forecast"])
    return Answered(float(np.mean((forecast - wanted) ** 2)), float(np.mean(wanted**2)), train, predict)


def seconds(*arguments: str) -> float:
    """CPU seconds of a command of the program, which must succeed; what it says goes to stderr."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "rnncli", *arguments], check=True, stdout=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(task: str, steps: str, *cells: str) -> None:
    """Print a line for each cell: NAME*STEPS for so many training steps, and options of `train` after it."""
    for asked in cells:
        cell, *options = asked.split()
        name, _, most = cell.partition("*")
        found = answered(task, int(steps), name, int(most or 1200), *options)
        print(  # noqa: T201 this is a program
            f"{task} {steps} {asked}: mean squared error {found.error:.4f}, that of the mean {found.baseline:.4f},"
            f" train {found.train:.0f} CPU s, predict {found.predict:.1f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    for line in [sys.argv[1:]] if len(sys.argv) > 1 else TABLE:
        main(*line)
