"""A search for a network: shared, killed and gone on with, without a lost trial, and an ordinary model in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import OutputExists
from rnncli.workflows.search_file import SearchFile, remove

optuna = pytest.importorskip("optuna", reason="optuna comes with the extra `test`")

Run = Callable[..., subprocess.CompletedProcess[str]]
SMALL = ("--horizon", "6", "--layers", "1", "--hidden", "4", "--steps", "6", "--batch", "16", "--members", "1")
SPACE = {"hidden": lambda trial, name: trial.suggest_int(name, 1, 64)}


def trials_of(path: Path) -> list[Any]:
    storage = f"sqlite:///{path}.search"
    return optuna.load_study(study_name="rnncli", storage=storage).get_trials()


def command(data: Path, out: Path, trials: int) -> list[str]:
    return [sys.executable, "-m", "rnncli", "tune", str(data), *SMALL, "--trials", str(trials), "-o", str(out)]


def test_a_search_that_is_killed_and_shared_loses_no_trial(
    sample_data: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    data, out = sample_data / "us_employment.csv", tmp_path / "m.safetensors"
    first = subprocess.Popen(command(data, out, 4), env=environment, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    begun = next(line for line in first.stderr if line.startswith("trial 1 of 4"))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert "the best so far" in begun
    assert not out.exists()
    both = [subprocess.Popen(command(data, out, 4), env=environment, stderr=subprocess.PIPE, text=True) for _ in "ab"]
    told = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    ended = [one for one in trials_of(out) if one.state.name in ("COMPLETE", "PRUNED")]
    assert len(ended) == 4
    assert all(one.state.name in ("COMPLETE", "PRUNED", "FAIL") for one in trials_of(out))
    record = rnncli.info(out).model.record["search"]
    assert (record["trials"], record["loss"] <= record["default_loss"]) == (4, True)
    assert set(record["settings"]) == {"cell", "context", "learning_rate", "dropout"}
    assert "4 trials" in dict(rnncli.info(out).facts)["search"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SearchFile]:
    with closing(SearchFile(tmp_path / "m", "asked", 0)) as opened:
        yield opened


def test_the_first_trial_is_the_default_and_no_more_are_begun_than_asked(file: SearchFile) -> None:
    begun = [file.next(2, {"hidden": 32}, SPACE) for _ in range(3)]
    assert begun[0].params == {"hidden": 32}
    assert begun[2] is None
    assert file.under_way() == 2


def test_a_trial_of_a_process_that_died_is_begun_again_with_its_settings(file: SearchFile) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lost = file.next(3, {"hidden": 32}, SPACE)
    lost.set_user_attr("process", f"{dead.pid}:1")
    again = file.next(3, {"hidden": 32}, SPACE)
    assert again.params == lost.params
    assert again.number != lost.number
    assert file.under_way() == 1


def test_a_process_of_the_same_number_is_another_one(file: SearchFile) -> None:
    lost = file.next(3, {"hidden": 32}, SPACE)
    lost.set_user_attr("process", f"{os.getpid()}:1")
    assert file.under_way() == 0


def test_a_search_of_other_data_is_not_gone_on_with(tmp_path: Path, file: SearchFile) -> None:
    del file
    with pytest.raises(OutputExists, match="of other data"):
        SearchFile(tmp_path / "m", "something else", 0)


@pytest.mark.parametrize("name", ["a?b=c", "a#b", "100%", "a b", "{a}", "m%41"])
def test_a_search_is_in_the_file_of_its_name_and_is_closed(name: str, tmp_path: Path) -> None:
    output = tmp_path / name
    for begun in (0, 1):
        file = SearchFile(output, "asked", 0)
        assert len(file._study.get_trials()) == begun
        file.next(3, {"hidden": 32}, SPACE)
        file.close()
    assert {one.name for one in tmp_path.iterdir()} == {f"{name}.search", f".{name}.search.lock"}
    assert str(output) not in str([os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()])
    remove(output)
    assert not Path(f"{output}.search").exists()


def test_two_searches_of_one_seed_propose_the_same(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        one = SearchFile(tmp_path / name, "asked", 3)
        proposed = []
        for loss in (0.5, 0.4, 0.6):
            trial = one.next(9, {"hidden": 32}, SPACE)
            proposed.append(trial.params)
            one.pruned(trial) if loss > 0.5 else one._study.tell(trial, loss)
        made.append(proposed)
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-", "--horizon", 6), "more than once"),
        (("{data}", "--activation", "relu"), "of the cells rnn, jordan"),
        (("{data}", *SMALL, "--cell", "gru", "--context", 9, "--learning-rate", 0.1, "--dropout", 0.1), "was said"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    run_rnncli: Run, sample_data: Path, tmp_path: Path, words: tuple, says: str
) -> None:
    given = [str(word).format(data=sample_data / "us_employment.csv") for word in words]
    done = run_rnncli("tune", *given, "-o", tmp_path / "m.safetensors")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not list(tmp_path.glob("*.search"))


def test_the_record_says_when_the_default_was_as_good() -> None:
    from rnncli.workflows.search_told import told

    record = {"trials": 9, "pruned": 2, "settings": {"hidden": 64}, "loss": 0.5, "default": {"hidden": 32}}
    record |= {"default_loss": 0.502, "p": 0.4, "p_over_trials": 1.0, "default_as_good": True}
    assert "the default was as good and is kept" in told(record)
    better = record | {"p": 0.001, "p_over_trials": 0.007, "loss": 0.4, "default_as_good": False}
    assert told(better).endswith("hidden 64 is better than the default (held-out loss 0.4 against 0.502, p = 0.001,"
                                 " 0.007 as the best of all)")  # fmt: skip
    assert "this may be chance" in told(better | {"p": 0.1, "p_over_trials": 0.7})
    assert "none was better" in told(record | {"settings": {"hidden": 32}})
