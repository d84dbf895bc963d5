"""What is promised of every training and prediction holds for labels: stdin, Python, going on, the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import rnncli
from rnncli.training.events import Stepped
from rnncli.workflows.result import Training
from tests.conftest import Run

SMALL = {"label": "label", "channels": ("x", "y"), "steps": 8, "hidden": 8, "members": 1}
FLAGS = ("--label", "label", "--channels", "x,y", "--steps", 8, "--hidden", 8, "--members", 1)


def train(data: Path, output: Path, **options: object) -> Training:
    return rnncli.train(str(data), output=output, **(SMALL | options))


def test_a_training_that_was_broken_off_ends_in_the_same_bytes_and_is_then_up_to_date(
    labelled_table: Path, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert not train(labelled_table, whole).up_to_date

    def stop(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(labelled_table, broken, on_event=stop)
    train(labelled_table, broken)
    assert broken.read_bytes() == whole.read_bytes()
    assert train(labelled_table, broken).up_to_date
    assert not train(labelled_table, broken, class_weights="balanced").up_to_date


def test_standard_input_and_frames_are_labelled_as_files_are(
    run_rnncli: Run, labelled_table: Path, others: Path, label_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    assert run_rnncli("train", "-", *FLAGS, "-o", path, "-q", input=labelled_table.read_text()).returncode == 0
    from_file = run_rnncli("predict", others, "-m", label_model).stdout
    assert run_rnncli("predict", "-", "-m", label_model, input=others.read_text()).stdout == from_file
    pandas = pytest.importorskip("pandas")
    answer = rnncli.predict(pandas.read_csv(others), str(label_model))
    table = pa.table(answer)
    assert table.column_names == ["id", "label", "p_a", "p_b", "p_c"]
    assert answer.to_pandas()["label"].tolist() == table["label"].to_pylist()
    assert [line.split(",")[1] for line in from_file.splitlines()[1:]] == table["label"].to_pylist()


def test_a_model_is_trained_on_and_remembers_all_that_it_saw(
    run_rnncli: Run, labelled_table: Path, others: Path, label_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "further.safetensors"
    done = run_rnncli("train", others, "--warm-start", label_model, "--steps", 2, "-o", path, "-q")
    assert done.returncode == 0, done.stderr
    assert rnncli.info(str(path)).model.series == 36 + 18
    for data in (labelled_table, others):
        assert json.loads(run_rnncli("evaluate", data, "-m", path, "--json").stdout)["in_sample"]
    refused = run_rnncli("train", others, "--warm-start", label_model, "--label", "label", "-o", path)
    assert (refused.returncode, "--label describes a model" in refused.stderr) == (2, True)


def test_a_model_tells_the_options_that_made_it(label_model: Path) -> None:
    settings = rnncli.info(str(label_model)).settings
    said = {"label": "label", "label_kind": "class", "channels": ("x", "y"), "per_step": False, "online": False}
    assert {name: settings[name] for name in said} == said
    assert (settings["class_weights"], settings["hidden"]) == ("none", 8)


def test_labels_per_step_are_learnt_in_stretches_and_watched(
    run_rnncli: Run, labelled_table: Path, tmp_path: Path
) -> None:
    path = tmp_path / "online.safetensors"
    online = ("--per-step", "--online", "--tbptt", 4, "--watch-gradients", 4)
    done = run_rnncli("train", labelled_table, *FLAGS, *online, "-o", path)
    assert done.returncode == 0, done.stderr
    assert "step 4, gradient norm" in done.stderr
    rows = run_rnncli("predict", labelled_table, "-m", path).stdout.splitlines()
    assert rows[0].startswith("id,step,label,p_a")
    assert len(rows) == len(labelled_table.read_text().splitlines())
    alone = run_rnncli("train", labelled_table, *FLAGS, "--tbptt", 4, "-o", path)
    assert (alone.returncode, "--online" in alone.stderr) == (2, True)


def test_rows_without_a_header_are_sequences(run_rnncli: Run, tmp_path: Path) -> None:
    path, model = tmp_path / "rows.tsv", tmp_path / "rows.safetensors"
    path.write_text("".join(f"{i % 2}\t{i % 2 + 0.1 * i:.1f}\t{i % 2 - 0.1 * i:.1f}\t{i % 2}.5\n" for i in range(12)))
    flags = ("--row-per-sequence", "--label", 1, "--steps", 4, "--hidden", 8, "--members", 1)
    done = run_rnncli("train", path, *flags, "-o", model)
    assert done.returncode == 0, done.stderr
    assert len(run_rnncli("predict", path, "-m", model).stdout.splitlines()) == 13
    document = json.loads(run_rnncli("evaluate", path, "-m", model, "--json").stdout)
    assert (document["sequences"], document["in_sample"]) == (12, None)
    assert "12 sequences" in run_rnncli("check", path, "--label", 1, "--row-per-sequence").stdout


def test_what_could_not_be_written_is_not_trained(run_rnncli: Run, labelled_table: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    header, rows = labelled_table.read_text().split("\n", 1)
    assert header.split(",")[0] == "id"
    table.write_text(f"p_a,{header.split(',', 1)[1]}\n{rows}")
    done = run_rnncli("train", table, *FLAGS[:2], "--id", "p_a", "-o", tmp_path / "m.safetensors")
    assert (done.returncode, "two columns called 'p_a'" in done.stderr) == (4, True)
    assert not list(tmp_path.glob("*.safetensors"))


def test_settings_of_labels_come_from_a_file_and_are_shown(
    run_rnncli: Run, labelled_table: Path, tmp_path: Path
) -> None:
    config = tmp_path / "labels.toml"
    config.write_text('[train]\nlabel = "label"\nchannels = "x,y"\nper-step = true\n')
    shown = run_rnncli("config", "show", "train", labelled_table, "-o", "m", "--config", config).stdout
    assert any(line.split()[1:3] == ["label", "label"] for line in shown.splitlines())
    values = {line.split()[1]: " ".join(line.split()[2:-1]) for line in shown.splitlines()}
    assert values["cell"] == "(bidirectional:gru; gru with --online)"
    assert not {"horizon", "season", "target", "max-age"} & set(values)
    printed = run_rnncli("train", labelled_table, "-o", "m", "--config", config, "--print-config").stdout
    assert 'label = "label"' in printed


def test_what_is_about_numbers_or_forecasts_is_refused_for_classes(
    run_rnncli: Run, labelled_table: Path, others: Path, label_model: Path, tmp_path: Path
) -> None:
    def refusal(*arguments: object) -> str:
        done = run_rnncli(*arguments)
        assert done.returncode == 2
        return str(done.stderr)

    for flag in (["--quantiles", "0.1"], ["--point", "mean"], ["--tidy"], ["--horizon", "2"]):
        assert flag[0] in refusal("predict", others, "-m", label_model, *flag)
    assert "--quantiles" in refusal("train", labelled_table, *FLAGS, "--quantiles", "0.1", "-o", tmp_path / "m")
