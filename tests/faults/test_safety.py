"""The program writes what it was asked for and nothing else, runs nothing, and does not care where it is started."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from rnncli import files
from rnncli.errors import StorageFailed

Run = Callable[..., subprocess.CompletedProcess[str]]

WATCHED = Path(__file__).parent / "watched.py"
TINY = ("--horizon", 13, "--hidden", 8, "--layers", 1, "--steps", 4, "--batch", 16)  # as `small_model` is trained
HIJACKERS = ("csv", "torch", "numpy", "json", "typer", "sitecustomize", "typing", "__future__", "re", "pyarrow")
CONTROLS = "\x1b\x9b\x07\x08\u202e\u2066"


@pytest.fixture(scope="session")
def weekly(sample_data: Path) -> Path:
    return sample_data / "co2_weekly.csv"


@pytest.fixture(scope="session")
def forecast(run_rnncli: Run, weekly: Path, small_model: Path) -> str:
    """What predict prints where nothing is odd."""
    return run_rnncli("predict", weekly, "-m", small_model).stdout


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `rnncli` as pip installs it: its own folder is where Python looks first."""
    path = tmp_path_factory.mktemp("bin") / "rnncli"
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom rnncli.cli.app import main\nsys.exit(main())\n")
    path.chmod(0o755)
    return path


# What an audit hook sees


@pytest.fixture(scope="session")
def fonts() -> None:
    """The list of this machine's fonts, which matplotlib makes once, in the user's cache, where there is none."""
    import matplotlib.font_manager  # noqa: F401


@pytest.fixture
def watched(run_python: Run, environment: dict[str, str], fonts: None) -> Run:
    """`rnncli ARGUMENTS` under the hook of watched.py, which allows `outputs` to be written; modules are not cached.

    Nothing inside torch had to be excused. It would ask for the name of the user, try whether temporary files can be
    written and make a folder for its compiler there, if any of its optimisers were made: training has its own.
    Marshalled code that the import system itself reads is how every module is loaded, and is excused.
    """
    settings = environment | {"PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: object, outputs: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        return run_python(WATCHED, os.pathsep.join(map(str, outputs)), *arguments, env=settings)

    return run


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_training_does_nothing_but_write_its_model_and_its_log(watched: Run, weekly: Path, tmp_path: Path) -> None:
    model, log = tmp_path / "m.safetensors", tmp_path / "log.jsonl"
    done = watched("train", weekly, "-o", model, *TINY, "--log-file", log, outputs=(model, log))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_predicting_does_nothing_but_write_its_forecast(
    watched: Run, weekly: Path, small_model: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"out.{suffix}"
    done = watched("predict", weekly, "-m", small_model, "-o", output, outputs=(output,))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == [output.name]


@pytest.mark.parametrize(
    "command",
    [("info", "MODEL"), ("predict", "DATA", "-m", "MODEL"), ("evaluate", "DATA", "-m", "MODEL", "--no-refit"),
     ("inspect-gradients", "DATA", "-m", "MODEL", "--quick"), ("evaluate", "DATA", "-m", "MODEL", "--windows", "1"),
     ("check", "DATA", "-m", "MODEL"), ("plot", "DATA", "-m", "MODEL"), ("compare", "MODEL", "base", "DATA"),
     ("config", "show", "predict", "DATA", "-m", "MODEL"), ("cells",),
     ("explain", "leakage"),
     ("train", "DATA", "-o", "absent.safetensors", "--print-config"), ("--help",), ("train", "--help"), ("--version",)],
    ids=" ".join,
)  # fmt: skip
def test_a_command_that_prints_writes_no_file(
    watched: Run, weekly: Path, small_model: Path, command: tuple[str, ...]
) -> None:
    given = {"DATA": weekly, "MODEL": small_model}
    done = watched(*(given.get(word, word) for word in command))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "name"),
    [(("check", "DATA", "--fix", "OUT"), "out.csv"), (("check", "DATA", "--fix", "OUT"), "out.parquet"),
     (("evaluate", "DATA", "-m", "MODEL", "--no-refit", "-o", "OUT"), "out.json"),
     (("evaluate", "DATA", "-m", "MODEL", "--no-refit", "-o", "OUT"), "out.parquet"),
     (("plot", "DATA", "-m", "MODEL", "-o", "OUT"), "out.svg"),
     (("report", "DATA", "-m", "MODEL", "--no-refit", "-o", "OUT"), "out.html"),
     (("export", "MODEL", "-o", "OUT"), "out.onnx")],
)  # fmt: skip
def test_a_command_with_an_output_writes_that_alone(
    watched: Run, weekly: Path, small_model: Path, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    given = {"DATA": weekly, "MODEL": small_model, "OUT": tmp_path / name}
    done = watched(*(given.get(word, word) for word in command), outputs=(tmp_path / name,))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {name, f".{name}.lock"}


def test_every_command_is_watched() -> None:
    from typer.main import get_command

    from rnncli.cli.app import app

    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in getattr(get_command(app), "commands", {}) if f'"{name}"' not in text] == []


def test_what_moved_between_two_forecasts_writes_no_file(
    watched: Run, run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.csv"
    run_rnncli("predict", weekly, "-m", small_model, "-o", saved)
    done = watched("diff", saved, saved)
    assert done.returncode == 0, done.stderr


def test_a_search_writes_its_model_and_its_trials(watched: Run, weekly: Path, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    model = tmp_path / "m.safetensors"
    trials = [Path(f"{model}.search{suffix}") for suffix in ("", "-journal")]
    done = watched("tune", weekly, "-o", model, "--horizon", 2, "--trials", 1, "--steps", 2, outputs=(model, *trials))
    assert done.returncode == 0, done.stderr


def test_scores_of_a_saved_forecast_write_no_file(
    watched: Run, run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    early, saved = tmp_path / "early.csv", tmp_path / "saved.csv"
    early.write_text("".join(weekly.read_text().splitlines(keepends=True)[:-20]))
    run_rnncli("predict", early, "-m", small_model, "-o", saved)
    done = watched("evaluate", weekly, "--forecasts", saved)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["sea_temperature.csv.gz", "bike_rentals.parquet"])
def test_compressed_tables_and_parquet_are_read_without_any_write(
    watched: Run, sample_data: Path, small_model: Path, name: str
) -> None:
    done = watched("predict", sample_data / name, "-m", small_model)
    assert done.returncode == 4, done.stderr  # they have other columns than the model


def test_the_hook_sees_an_output_that_was_not_declared(
    watched: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    done = watched("predict", weekly, "-m", small_model, "-o", tmp_path / "out.csv")
    assert done.returncode == 99
    assert done.stderr.startswith("FORBIDDEN open")


# Where the program is started


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder with modules called like ours, which say HIJACKED."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in HIJACKERS:
        (folder / f"{name}.py").write_text("import os\nos.write(1, b'HIJACKED\\n')\nos._exit(0)\n")
    return folder


def test_a_folder_with_modules_called_like_ours_is_no_trap(
    script: Path, trap: Path, weekly: Path, small_model: Path, environment: dict[str, str], forecast: str
) -> None:
    command = [str(script), "predict", str(weekly), "-m", str(small_model)]
    done = subprocess.run(command, cwd=trap, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, forecast)


def test_python_m_rnncli_does_not_import_from_the_working_folder(
    start_rnncli: Run, trap: Path, weekly: Path, small_model: Path, forecast: str
) -> None:
    done = start_rnncli("predict", weekly, "-m", small_model, cwd=trap)
    assert (done.returncode, done.stdout) == (0, forecast)


def test_training_in_such_a_folder_imports_nothing_from_it(
    start_rnncli: Run, trap: Path, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    done = start_rnncli("train", weekly, *TINY, "-o", tmp_path / "m.safetensors", cwd=trap)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "m.safetensors").read_bytes() == small_model.read_bytes()


def test_the_trap_works(run_python: Run, trap: Path) -> None:
    assert run_python("-c", "import csv", cwd=trap).stdout == "HIJACKED\n"


def test_importing_the_package_leaves_the_way_of_imports_alone(run_python: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("print('mine')")
    assert run_python("-c", "import rnncli, mine", cwd=tmp_path).stdout == "mine\n"


# The environment


ODD_SETTINGS: dict[str, Mapping[str, str | None]] = {
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 2": {"PYTHONHASHSEED": "2"},
    "garbled zone": {"TZ": "garbage/../..\t"},
    "other zone": {"TZ": "Pacific/Kiritimati"},
    "C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
    "German": {"LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    "homeless": {"HOME": None, "USER": None, "LOGNAME": None},
    "home is nowhere": {"HOME": "/nonexistent"},
    "no temporary folder": {"TMPDIR": "/nonexistent", "TEMP": "/nonexistent"},
    "one column": {"COLUMNS": "1", "LINES": "0"},
    "columns are text": {"COLUMNS": "wide"},
    "threads are text": {"OMP_NUM_THREADS": "x", "OPENBLAS_NUM_THREADS": "x", "MKL_NUM_THREADS": "-1"},
    "no threads": {"OMP_NUM_THREADS": "0", "OPENBLAS_NUM_THREADS": "0"},
    "pickles by force": {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
    "no lines": {"LINES": "x"},
    "seven threads": {"OPENBLAS_NUM_THREADS": "7"},
    "no docstrings": {"PYTHONOPTIMIZE": "2"},
    "another epoch": {"SOURCE_DATE_EPOCH": "0"},
    "American": {"TZ": "America/New_York"},
    "warnings": {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
}
SLOW_TO_START = ("warnings", "no docstrings")  # with PyTorch


def changed(environment: dict[str, str], odd: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**environment, **odd}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize("odd", ODD_SETTINGS.values(), ids=ODD_SETTINGS)
def test_an_odd_environment_does_not_change_a_forecast(
    start_rnncli: Run, environment: dict[str, str], weekly: Path, small_model: Path, forecast: str, odd: dict[str, str]
) -> None:
    done = start_rnncli("predict", weekly, "-m", small_model, env=changed(environment, odd))
    assert (done.returncode, done.stdout, done.stderr) == (0, forecast, "")


def test_an_odd_environment_does_not_change_a_model(
    run_rnncli: Run, environment: dict[str, str], weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    settings = environment
    for name, odd in ODD_SETTINGS.items():
        settings = settings if name in SLOW_TO_START else changed(settings, odd)
    done = run_rnncli("train", weekly, *TINY, "-o", tmp_path / "m.safetensors", env=settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m.safetensors").read_bytes() == small_model.read_bytes()


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_names_beyond_ascii_are_read_and_written_in_any_locale(
    run_rnncli: Run, environment: dict[str, str], weekly: Path, small_model: Path, tmp_path: Path, locale: str
) -> None:
    data, output = tmp_path / "größe 数.csv", tmp_path / "vorhersage ü.csv"
    data.write_bytes(weekly.read_bytes())
    settings = environment | {"LANG": locale, "LC_ALL": locale}
    done = run_rnncli("predict", data, "-m", small_model, "-o", output, "--json", env=settings, encoding="utf-8")
    assert json.loads(done.stdout)["output"] == str(output)
    assert output.stat().st_size


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_change_a_file(
    environment: dict[str, str], weekly: Path, small_model: Path, tmp_path: Path, forecast: str, closed: str
) -> None:
    output, log = tmp_path / "out.csv", tmp_path / "log.jsonl"
    command = f'"{sys.executable}" -m rnncli predict "{weekly}" -m "{small_model}" -o "{output}" --log-file "{log}"'
    talkative = environment | {"LD_DEBUG": "files"}  # the loader writes to stream 2, whatever that has become
    done = subprocess.run(["/bin/sh", "-c", f"{command} {closed}"], env=talkative, capture_output=True, check=False)
    assert (done.returncode, output.read_text()) == (0, forecast)
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()][-1] == "result"


def test_a_closed_stdin_is_no_data(environment: dict[str, str], small_model: Path) -> None:
    command = f'"{sys.executable}" -m rnncli predict - -m "{small_model}" <&-'
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: -: standard input is ")


def test_a_name_that_is_no_text_ends_in_a_clear_error(
    run_rnncli: Run, small_model: Path, tmp_path: Path, weekly: Path
) -> None:
    for name in (b"\xff", b"\xfe"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b".csv")).write_bytes(weekly.read_bytes())
    log = tmp_path.parent / f"{tmp_path.name}.log"
    done = run_rnncli("train", tmp_path, "-o", f"{tmp_path}.safetensors", "--log-file", log, "--json", errors="replace")
    assert (done.returncode, done.stdout) == (4, "")
    assert "not text in UTF-8" in done.stderr
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()][-1] == "error"


# What is in the data


IDS = (
    *("../../etc/passwd", "/etc/shadow", "a/b", "..", "[red]x[/red]", "[link=file:///]", "%s%n", "$(reboot)", "`id`"),
    *("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3", "'; --", "\u202egnp.exe", "<script>", "数 größe", "NULL?"),
)


@pytest.fixture(scope="session")
def odd_ids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ids")
    text = 'unique_id,ds,"y"\n' + "".join(
        f'"{name}",2024-01-{day:02},{day % 7 + 1}\n' for name in IDS for day in range(1, 29)
    )
    (folder / "ids.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def odd_model(run_rnncli: Run, odd_ids: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "m.safetensors"
    sizes = ("--horizon", 2, "--hidden", 4, "--layers", 1, "--steps", 2, "--batch", 16)
    done = run_rnncli("train", odd_ids / "ids.csv", "-o", path, *sizes)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in path.parent.iterdir() if file.suffix != ".lock"] == [path.name]
    return path


def test_an_id_is_never_a_path(run_rnncli: Run, odd_ids: Path, odd_model: Path, tmp_path: Path) -> None:
    before = snapshot(odd_ids)
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        assert run_rnncli("predict", odd_ids / "ids.csv", "-m", odd_model, "-o", tmp_path / name).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == [
        "out.csv",
        "out.jsonl",
        "out.parquet",
    ]
    assert snapshot(odd_ids) == before


def test_an_id_that_a_spreadsheet_would_run_is_escaped_in_csv_alone(
    run_rnncli: Run, odd_ids: Path, odd_model: Path, tmp_path: Path
) -> None:
    import csv

    text = run_rnncli("predict", odd_ids / "ids.csv", "-m", odd_model, encoding="utf-8").stdout
    written = {row["unique_id"] for row in csv.DictReader(text.splitlines())}
    assert written == {f"'{name}" if name[0] in "=+-@" else name for name in IDS}
    run_rnncli("predict", odd_ids / "ids.csv", "-m", odd_model, "-o", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["unique_id"] for line in lines} == set(IDS)


def seen_on_a_terminal(command: list[object], environment: dict[str, str]) -> tuple[int, str]:
    """The exit code and all that a terminal is sent on both streams."""
    ours, theirs = pty.openpty()
    settings = environment | {"TERM": "xterm-256color", "COLUMNS": "120", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "rnncli", *map(str, command)]
    with subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as process:
        os.close(theirs)
        text = b"".join(_until_it_closes(ours)).decode(errors="replace")
        return process.wait(), text


def _until_it_closes(descriptor: int) -> Iterator[bytes]:
    try:
        while data := os.read(descriptor, 65536):
            yield data
    except OSError:  # how Linux says that the other side is closed
        return
    finally:
        os.close(descriptor)


def test_a_terminal_is_not_played_with_by_ids(odd_ids: Path, odd_model: Path, environment: dict[str, str]) -> None:
    code, text = seen_on_a_terminal(["predict", odd_ids / "ids.csv", "-m", odd_model], environment)
    assert code == 0
    assert "[red]x[/red]" in text
    assert "\\u202egnp.exe" in text
    assert not set(text) & set(CONTROLS)


def test_a_terminal_is_not_played_with_by_names_of_columns(
    environment: dict[str, str], tmp_path: Path, run_rnncli: Run
) -> None:
    rows = "".join(f"2024-01-{day:02},{day % 7 + 1}\n" for day in range(1, 29))
    (tmp_path / "odd.csv").write_text(f"\x1b[31m\x1b]0;x\x07\x9b\u202e,y\n{rows}", encoding="utf-8")
    model = tmp_path / "m.safetensors"
    sizes = ("--horizon", 2, "--hidden", 4, "--layers", 1, "--steps", 2, "--batch", 16, "-q")
    assert run_rnncli("train", tmp_path / "odd.csv", "-o", model, *sizes).returncode == 0
    for command in (["info", model], ["predict", tmp_path / "odd.csv", "-m", model, "-v"]):
        code, text = seen_on_a_terminal(command, environment)
        assert code == 0
        assert not set(text) & set(CONTROLS)


def test_training_redraws_its_line_but_obeys_no_name(
    odd_ids: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "[bold]odd\x1b]0;x\x07.csv"
    data.write_bytes((odd_ids / "ids.csv").read_bytes())
    sizes = ("--horizon", 2, "--hidden", 4, "--steps", 2, "--batch", 8)
    command = ["train", data, "-o", tmp_path / "m.safetensors", *sizes]
    code, text = seen_on_a_terminal(command, environment)
    assert code == 0
    assert not set(text) & set("\x9b\x07\u202e")
    assert "\x1b]" not in text


@pytest.mark.parametrize("letter", ["\x1b", "\x9b", "\x7f", "\x00", "\n", "\r", "\t"])
def test_an_id_with_control_characters_is_refused(
    run_rnncli: Run, small_model: Path, tmp_path: Path, letter: str
) -> None:
    data = tmp_path / "ids.csv"
    rows = "".join(f"{name},2024-01-0{day},{day}\n" for name in ("a", f'"b{letter}c"') for day in range(1, 9))
    data.write_bytes(f"unique_id,ds,y\n{rows}".encode())
    done = run_rnncli("train", data, "-o", tmp_path / "m.safetensors", "--steps", 1)
    assert done.returncode == 4
    assert letter not in done.stderr.replace("\n", "", 2) or letter == "\n"


# Links where files are expected


def test_a_linked_output_is_replaced_and_its_target_untouched(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path, forecast: str
) -> None:
    target, output = tmp_path / "target", tmp_path / "out.csv"
    target.write_text("precious")
    output.symlink_to(target)
    assert run_rnncli("predict", weekly, "-m", small_model, "-o", output).returncode == 0
    assert (target.read_text(), output.is_symlink(), output.read_text()) == ("precious", False, forecast)


def test_a_linked_temporary_name_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / f".out.csv.tmp.{os.getpid()}").symlink_to(target)
    with pytest.raises(StorageFailed, match="cannot write"):
        files.atomic_write(tmp_path / "out.csv", b"new")
    assert (target.read_text(), (tmp_path / "out.csv").exists()) == ("precious", False)


def test_a_linked_leftover_is_not_followed_by_the_sweep(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / f".out.csv.tmp.{2**22 + 1}").symlink_to(target)
    files.atomic_write(tmp_path / "out.csv", b"new")
    assert (target.read_text(), (tmp_path / "out.csv").read_bytes()) == ("precious", b"new")


@pytest.mark.parametrize("name", [".m.safetensors.lock", "m.safetensors.partial"])
def test_a_linked_lock_or_partial_file_is_not_followed(
    run_rnncli: Run, weekly: Path, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / name).symlink_to(target)
    done = run_rnncli("train", weekly, *TINY, "-o", tmp_path / "m.safetensors")
    assert done.returncode in (2, 8)
    assert target.read_text() == "precious"
