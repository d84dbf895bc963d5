"""What is promised of every command holds for tokens: stdin, Python, going on, the same bytes, one clear error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import rnncli
from rnncli.errors import InputRefused
from rnncli.training.events import Stepped
from rnncli.workflows.result import Training
from tests.conftest import Run
from tests.tasks.tokens.conftest import VERSE, Trained

SMALL = {"split": "char", "hidden": 8, "steps": 8}


def train(data: Path, output: Path, **options: object) -> Training:
    return rnncli.train(str(data), output=output, **(SMALL | options))  # type: ignore[arg-type]


def test_a_training_that_was_broken_off_ends_in_the_same_bytes_and_is_then_up_to_date(
    verse: Path, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert not train(verse, whole).up_to_date

    def stop(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(verse, broken, on_event=stop)
    train(verse, broken)
    assert broken.read_bytes() == whole.read_bytes()
    assert train(verse, broken).up_to_date
    assert not train(verse, broken, tbptt=16).up_to_date


def test_a_text_is_trained_on_and_gone_on_with_on_the_command_line(
    run_rnncli: Run, verse: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    done = run_rnncli(
        "train",
        "-",
        "--split",
        "word",
        "--steps",
        200,
        "--hidden",
        16,
        "--learning-rate",
        0.01,
        "-o",
        path,
        input=verse.read_text(),
    )
    assert done.returncode == 0, done.stderr
    assert "words and marks of texts" in done.stderr
    assert "better than" in done.stdout + done.stderr
    made = run_rnncli("predict", "-", "-m", path, "--generate", 9, "--top-k", 1, input="the cat sat")
    assert (made.stdout, made.returncode) == (" on a mat\nand my rat ran off", 0)
    state = tmp_path / "state"
    first = run_rnncli("predict", "-", "-m", path, "--generate", 4, "--top-k", 1, "--state", state, input="the cat sat")
    second = run_rnncli("predict", "-", "-m", path, "--generate", 5, "--top-k", 1, "--state", state, input="")
    assert first.stdout + second.stdout == made.stdout
    asked = run_rnncli("predict", "-", "-m", path, "--generate", 9, "--top-k", 1, "--json", input="the cat sat")
    assert json.loads(asked.stdout)["text"] == made.stdout


def test_a_text_needs_no_option_to_be_taken_for_one(run_rnncli: Run, verse: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    assert run_rnncli("train", verse, "--steps", 3, "--hidden", 4, "-o", path, "-q").returncode == 0
    assert rnncli.info(str(path)).settings["split"] == "char"


def test_a_model_is_trained_on(text_model: Trained, tmp_path: Path) -> None:
    other, path = tmp_path / "other.txt", tmp_path / "m.safetensors"
    other.write_text("my cat ran off\n" * 40)
    made = rnncli.train(str(other), warm_start=str(text_model.path), steps=5, output=path).model
    assert made.vocabulary == text_model.model.vocabulary
    assert made.names == ("other", "verse")


def test_a_model_says_what_it_is(run_rnncli: Run, text_model: Trained) -> None:
    told = run_rnncli("info", text_model.path).stdout
    assert "characters of texts" in told
    found = rnncli.info(str(text_model.path))
    expected = {"split": "char", "hidden": 48, "steps": 300, "seed": 0}
    assert {name: found.settings[name] for name in expected} == expected
    assert found.to_json()["vocabulary"][0] == "<unk>"
    assert found.model.record["validation"]["network"]["perplexity"] < 1.5


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (("--generate", "4", "--top-k", "0"), "the", "--top-k must be"),
        (("--generate", "4", "--top-p", "1.5"), "the", "--top-p must be above 0 and at most 1"),
        (("--generate", "4", "--top-p", "0"), "the", "--top-p must be"),
        (("--generate", "4", "--temperature", "0"), "the", "--temperature must be"),
        (("--generate", "4", "--score", "token"), "the", "--generate and --score ask for two answers"),
        (("--generate", "4", "--output", "x.csv"), "the", "--generate writes text"),
        (("--temperature", "2"), "the", "--temperature says how --generate draws"),
        (("--horizon", "3"), "the", "--horizon is for forecasts"),
        (("--tidy",), "the", "--tidy is for forecasts"),
        (("--score", "token"), "", "empty"),
    ],
)
def test_what_makes_no_sense_is_one_clear_error(
    run_rnncli: Run, text_model: Trained, arguments: tuple[str, ...], text: str, says: str
) -> None:
    done = run_rnncli("predict", "-", "-m", text_model.path, *arguments, input=text)
    assert done.returncode in (2, 4)
    assert says in done.stderr.splitlines()[0]
    assert not done.stdout
    assert "hint: " in done.stderr


def test_a_table_is_not_taken_for_a_text(text_model: Trained, cases_table: Path) -> None:
    for ask in (
        lambda: rnncli.predict(str(cases_table), str(text_model.path), score="document"),
        lambda: rnncli.evaluate(str(cases_table), str(text_model.path)),
        lambda: rnncli.train(str(cases_table), split="word", steps=1),
    ):
        with pytest.raises(InputRefused, match="a table by its name") as refused:
            ask()
        assert "--text COLUMN" in refused.value.hint


def test_a_model_of_another_task_is_not_asked_to_generate(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("predict", "-", "-m", small_model, "--generate", 5, input="the")
    assert (done.returncode, "--generate is for tokens" in done.stderr) == (2, True)


def test_a_prompt_that_is_unknown_altogether_is_told_and_gone_on_with(run_rnncli: Run, text_model: Trained) -> None:
    done = run_rnncli("predict", "-", "-m", text_model.path, "--generate", 5, input="ÄÖÜ")
    assert (done.returncode, len(done.stdout)) == (0, 5)
    assert "3 of 3 tokens are not in the model's vocabulary" in done.stderr


def test_several_documents_are_not_gone_on_with(run_rnncli: Run, case_model: Trained, cases_table: Path) -> None:
    done = run_rnncli("predict", cases_table, "-m", case_model.path, "--generate", 5)
    assert (done.returncode, "one document, and there are 80" in done.stderr) == (2, True)


def test_a_state_of_another_model_is_refused(run_rnncli: Run, text_model: Trained, verse: Path, tmp_path: Path) -> None:
    other, state = tmp_path / "m.safetensors", tmp_path / "state"
    train(verse, other)
    assert run_rnncli("predict", "-", "-m", other, "--state", state, input="the").returncode == 0
    done = run_rnncli("predict", "-", "-m", text_model.path, "--state", state, input="the")
    assert (done.returncode, "another model" in done.stderr) == (5, True)


def test_the_gradient_of_a_next_token_is_followed_back_on_the_text(
    run_rnncli: Run, verse: Path, text_model: Trained, cases_table: Path
) -> None:
    done = run_rnncli("inspect-gradients", verse, "-m", text_model.path, "--quick", "--series", 4)
    assert done.returncode == 0, done.stderr
    assert re.search(r"1 document, \d+ tokens,", done.stdout)
    assert "a step is a token" in done.stdout
    assert "--context" not in done.stdout  # which trainings on documents refuse
    options = ("--token", "event", "--id", "case", "--hidden", 4, "--quick", "--json")
    fresh = run_rnncli("inspect-gradients", cases_table, *options)
    assert fresh.returncode == 0, fresh.stderr
    assert json.loads(fresh.stdout)


def test_the_verse_is_what_it_was(text_model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "likely.txt"
    path.write_text(VERSE)
    found = rnncli.predict(str(path), str(text_model.path), score="document").to_json()["series"][0]
    assert found["tokens"] == len(VERSE)
    assert found["perplexity"] < 1.5
