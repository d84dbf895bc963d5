"""stdout is the result and nothing else; stderr is everything else; the exit code says what happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_predict_prints_csv_and_says_nothing(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("predict", weekly, "-m", small_model, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("week,forecast,q0.1,")
    assert len(done.stdout.splitlines()) == 14


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_an_output_may_be_stdout_by_name(run_rnncli: Run, weekly: Path, small_model: Path, output: str) -> None:
    plain = run_rnncli("predict", weekly, "-m", small_model)
    assert run_rnncli("predict", weekly, "-m", small_model, "-o", output).stdout == plain.stdout


def test_data_may_come_from_stdin(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    piped = run_rnncli("predict", "-", "-m", small_model, input=weekly.read_text())
    assert piped.stdout == run_rnncli("predict", weekly, "-m", small_model).stdout


def test_predict_to_a_file_leaves_stdout_empty(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    done = run_rnncli("predict", weekly, "-m", small_model, "-o", tmp_path / "out.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "out.csv").read_text() == run_rnncli("predict", weekly, "-m", small_model).stdout


def test_predict_with_json_prints_one_document(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    document = json.loads(run_rnncli("predict", weekly, "-m", small_model, "--json").stdout)
    assert document["schema"] == "rnncli.predict/1"
    assert len(document["series"][0]["forecast"]) == 13


def test_with_json_and_a_file_the_document_describes_the_file(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    document = json.loads(run_rnncli("predict", weekly, "-m", small_model, "--json", "-o", path).stdout)
    assert (document["output"], document["rows"], document["series"]) == (str(path), 13, 1)
    assert document["bytes"] == path.stat().st_size


def test_a_reader_that_stops_early_is_no_error(
    weekly: Path, small_model: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = f'"{sys.executable}" -m rnncli predict "{weekly}" -m "{small_model}" | head -3'
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (len(done.stdout.splitlines()), done.stderr) == (3, "")


def test_cron_hears_nothing(weekly: Path, small_model: Path, environment: dict[str, str], tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m rnncli predict "{weekly}" -m "{small_model}" -q -o "{tmp_path}/out.csv"'
    bare = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": environment["PYTHONPATH"]}
    done = subprocess.run(["/bin/sh", "-c", command], env=bare, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_full_disk_behind_stdout_is_exit_code_8(
    run_rnncli: Run, weekly: Path, small_model: Path, flags: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = run_rnncli("predict", weekly, "-m", small_model, *flags, stdout=full)
    assert done.returncode == 8
    assert done.stderr.startswith("error: standard output: cannot write: no space left on device\n")


def test_a_closed_stdout_is_exit_code_8(weekly: Path, small_model: Path, environment: dict[str, str]) -> None:
    command = f'"{sys.executable}" -m rnncli predict "{weekly}" -m "{small_model}" >&-'
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 8


def test_a_file_that_is_not_there_is_exit_code_4(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("predict", "nowhere.csv", "-m", small_model)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: nowhere.csv: ")


def test_a_damaged_model_is_exit_code_5(run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    data = bytearray(small_model.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    done = run_rnncli("predict", weekly, "-m", damaged)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"error: {damaged}: ")


def test_an_output_in_a_folder_that_is_not_there_is_exit_code_8(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    done = run_rnncli("predict", weekly, "-m", small_model, "-o", tmp_path / "no" / "out.csv")
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr.splitlines()[-1] == "hint: make the folder first"


def test_with_json_an_error_is_the_last_line_of_stderr(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("predict", "nowhere.csv", "-m", small_model, "--json")
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (done.stdout, error["code"], error["where"]) == ("", "input", "nowhere.csv")
    assert set(error) == {"code", "message", "hint", "where"}


@pytest.mark.parametrize(("flags", "traced"), [((), False), (("--debug",), True)])
def test_only_debug_shows_a_traceback(run_rnncli: Run, small_model: Path, flags: tuple[str, ...], traced: bool) -> None:
    done = run_rnncli("predict", "nowhere.csv", "-m", small_model, *flags)
    assert ("Traceback" in done.stderr) == traced


def test_a_name_with_control_characters_stays_one_line(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("predict", "no\nwhere\x1b[31m[bold].csv", "-m", small_model)
    assert done.stderr.splitlines()[0].startswith("error: no where\\x1b[31m[bold].csv: ")


def test_a_signal_ends_the_program_by_that_signal(
    quick_training: tuple[object, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    log, model = tmp_path / "log.jsonl", tmp_path / "model.safetensors"
    command = [*map(str, quick_training), "--steps", "100000", "-o", str(model), "--log-file", str(log)]
    with subprocess.Popen(
        [sys.executable, "-m", "rnncli", *command], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not (log.exists() and "started" in log.read_text()):
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM
        assert process.stderr is not None
        assert "stopped: the training so far is in" in process.stderr.read()
    assert not model.exists()


def test_training_reports_on_stderr_and_ends_with_the_verdict(
    run_rnncli: Run, quick_training: tuple[object, ...], tmp_path: Path
) -> None:
    done = run_rnncli(*quick_training, "-o", tmp_path / "model.safetensors")
    assert (done.returncode, done.stdout) == (0, "")
    assert all(word in done.stderr for word in ("validation", "seasonal naive", "MASE", "WQL", "the network is"))
    assert max(len(line) for line in done.stderr.splitlines() if not line.startswith("the network")) <= 100 + len(
        str(tmp_path)
    )


def test_training_with_json_prints_one_document(
    run_rnncli: Run, quick_training: tuple[object, ...], tmp_path: Path
) -> None:
    done = run_rnncli(*quick_training, "-o", tmp_path / "model.safetensors", "--json", "-q")
    assert json.loads(done.stdout)["schema"] == "rnncli.train/1"
    assert done.stderr == ""


def test_quiet_training_is_silent(run_rnncli: Run, quick_training: tuple[object, ...], tmp_path: Path) -> None:
    done = run_rnncli(*quick_training, "-o", tmp_path / "model.safetensors", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_log_file_holds_every_event_as_a_json_line(
    run_rnncli: Run, quick_training: tuple[object, ...], tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    run_rnncli(*quick_training, "-o", tmp_path / "model.safetensors", "-q", "--log-file", log)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"noted", "started", "evaluated", "finished", "result"} <= {record["event"] for record in records}
    assert all(record["time"].endswith("+00:00") for record in records)


def test_the_log_file_holds_errors_too(run_rnncli: Run, small_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    run_rnncli("predict", "nowhere.csv", "-m", small_model, "--log-file", log)
    assert json.loads(log.read_text().splitlines()[-1])["event"] == "error"


def test_with_the_log_format_json_every_line_of_stderr_is_json(
    run_rnncli: Run, weekly: Path, small_model: Path
) -> None:
    done = run_rnncli("inspect-gradients", weekly, "-m", small_model, "--quick", "--threads", 1, "--log-format", "json")
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()][-1] == "result"


def test_evaluate_marks_in_sample_scores(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("evaluate", weekly, "-m", small_model, "--no-refit")
    assert "model (in-sample)" in done.stdout
    assert "in-sample: training has seen rows that are scored here" in done.stdout


def test_evaluate_with_json_has_every_series_if_asked(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("evaluate", weekly, "-m", small_model, "--no-refit", "--by", "series", "--json")
    assert json.loads(done.stdout)["by_series"][0]["in_sample"]


def test_evaluate_to_a_file_leaves_stdout_empty(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "scores.csv"
    done = run_rnncli("evaluate", weekly, "-m", small_model, "--no-refit", "-o", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert path.stat().st_size


def test_inspect_gradients_prints_verdicts_and_rules(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("inspect-gradients", weekly, "-m", small_model, "--quick", "--threads", 1)
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("verdict", "half-life", "gradient norm", "the rules", "seasons of 52"))
    assert max(map(len, done.stdout.splitlines())) <= max(100, len(str(small_model)) + 40)


def test_info_prints_what_the_model_holds(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("info", small_model)
    assert (done.returncode, done.stderr) == (0, "")
    assert "lstm" in done.stdout


EVENTS = ("--log-format", "json")


@pytest.mark.parametrize(
    ("command", "settings", "code"),
    [
        (("predict", "nowhere.csv", "-m", "MODEL", *EVENTS), {}, "input"),
        (("predict", "nowhere.csv", "-m", "MODEL", *EVENTS, "-q"), {}, "input"),
        (("predict", "nowhere.csv", "-m", "MODEL"), {"RNNCLI_LOG_FORMAT": "json"}, "input"),
        (("predict", "nowhere.csv", "-m", "nowhere.safetensors", *EVENTS), {}, "model"),
        (("predict", "nowhere.csv", "--no-such-option", "--log-format=json"), {}, "usage"),
        (("predict", *EVENTS), {}, "usage"),
    ],
)
def test_with_the_log_format_json_a_failure_is_one_event(
    run_rnncli: Run,
    environment: dict[str, str],
    small_model: Path,
    command: tuple[str, ...],
    settings: dict[str, str],
    code: str,
) -> None:
    given = [str(small_model) if word == "MODEL" else word for word in command]
    done = run_rnncli(*given, env=environment | settings)
    assert (done.returncode != 0, done.stdout) == (True, "")
    (event,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (event["event"], event["code"]) == ("error", code)
    assert event["message"]
    assert event["hint"]
    assert event["time"].endswith("+00:00")


def test_the_log_format_text_on_the_command_line_wins(run_rnncli: Run, environment: dict[str, str]) -> None:
    settings = environment | {"RNNCLI_LOG_FORMAT": "json"}
    done = run_rnncli("predict", "--no-such-option", "--log-format", "text", env=settings)
    assert done.stderr.startswith("error: ")


def test_a_gate_that_fails_is_the_last_event(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    gate = ("evaluate", weekly, "-m", small_model, "--no-refit", "--fail-if", "mase>1")
    done = run_rnncli(*gate, *EVENTS, "--debug")
    assert done.returncode == 7
    assert done.stdout.startswith("1 series, 1 window")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events][-2:] == ["result", "error"]
    assert events[-1]["traceback"].startswith("Traceback")


def test_events_on_stderr_end_in_the_error_that_json_asks_for(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("predict", "nowhere.csv", "-m", small_model, *EVENTS, "--json")
    event, error = map(json.loads, done.stderr.splitlines())
    assert (event["event"], error["error"]["code"]) == ("error", "input")


def test_a_log_file_and_the_log_format_json_are_told_the_same(
    run_rnncli: Run, small_model: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    done = run_rnncli("predict", "nowhere.csv", "-m", small_model, *EVENTS, "--log-file", log)
    shown, kept = ([json.loads(line) for line in text.splitlines()] for text in (done.stderr, log.read_text()))
    assert [{**event, "time": ""} for event in shown] == [{**event, "time": ""} for event in kept]


def test_a_training_that_is_stopped_says_so_in_one_event(
    environment: dict[str, str], quick_training: tuple[object, ...], tmp_path: Path
) -> None:
    long = (*quick_training[:-4], "--steps", 100_000, "--threads", 1, "-o", tmp_path / "m.safetensors", *EVENTS)
    command = [sys.executable, "-m", "rnncli", *map(str, long)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        before = [next(line for line in process.stderr if json.loads(line)["event"] == "started")]
        process.send_signal(signal.SIGTERM)
        events = [json.loads(line) for line in [*before, *process.stderr]]
    assert process.returncode == -signal.SIGTERM
    assert (events[-1]["event"], events[-1]["signal"]) == ("stopped", signal.SIGTERM)
    assert "the same command goes on from there" in events[-1]["message"]
