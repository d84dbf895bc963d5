"""Every recipe of its page does what it says: by the shell, and by make, systemd and Airflow where they are there."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

HOME = "/srv/forecasts"
NOW, LATER = "2015-12-02", "2016-01-02"  # the day after the last row; a month after it
TRAINED, FORECAST = "sales.safetensors", "forecast.csv"


@pytest.fixture
def recipes(root: Path, home: Path) -> dict[str, str]:
    """language -> text of each recipe, for a folder of its own."""
    text = (root / "rnncli" / "pages" / "recipes.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- recipe -->\n```(\w+)\n(.*?)```", text, re.DOTALL)
    assert len(found) == 5
    return {language: body.replace(HOME, str(home)) for language, body in found}


@pytest.fixture
def home(rnncli_script: Callable[[], str], sample_data: Path, tmp_path: Path) -> Path:
    """The folder of the recipes: data, and rnncli in `.venv`."""
    folder = tmp_path / "forecasts"
    command = folder / ".venv" / "bin" / "rnncli"
    command.parent.mkdir(parents=True)
    command.write_text(rnncli_script())
    command.chmod(0o755)
    shutil.copy(sample_data / "us_employment.csv", folder / "sales.csv")
    return folder


@pytest.fixture
def cron() -> dict[str, str]:
    """What cron gives a job, and settings that make training short and the data new."""
    given = {"HOME": "/", "LOGNAME": "nobody", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    return given | {"RNNCLI_STEPS": "2", "RNNCLI_BATCH": "16", "RNNCLI_HIDDEN": "4", "RNNCLI_NOW": NOW}


def shell(command: str, cwd: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=cwd, env=settings, capture_output=True, text=True, check=False
    )


def silent(done: subprocess.CompletedProcess[str]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, "", "")


# crontab


def test_the_jobs_of_the_crontab_run_in_silence(recipes: dict[str, str], home: Path, cron: dict[str, str]) -> None:
    jobs = re.findall(r"^(?:\S+ +){5}(.+)$", recipes["crontab"], re.MULTILINE)
    assert len(jobs) == 2
    assert not any("%" in job for job in jobs)  # cron makes a new line of it
    assert all(silent(shell(job, Path("/"), cron)) for job in jobs)
    assert (home / FORECAST).stat().st_size > 1000


def test_late_data_are_mailed_and_leave_the_forecast_as_it_was(
    recipes: dict[str, str], home: Path, cron: dict[str, str]
) -> None:
    train, predict = re.findall(r"^(?:\S+ +){5}(.+)$", recipes["crontab"], re.MULTILINE)
    assert silent(shell(train, home, cron))
    (home / FORECAST).write_text("the last one\n")
    done = shell(predict, home, cron | {"RNNCLI_NOW": LATER})
    assert (done.returncode, done.stdout) == (6, "")
    assert re.match(r"error: .*\nhint: .*\n$", done.stderr)
    assert (home / FORECAST).read_text() == "the last one\n"


@pytest.mark.skipif(shutil.which("crontab") is None, reason="there is no crontab here")
def test_cron_accepts_the_crontab(recipes: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text(recipes["crontab"])
    done = subprocess.run(["crontab", "-T", str(table)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# systemd


def units(text: str) -> dict[str, str]:
    """file name -> text of each unit."""
    parts = re.split(r"^# /etc/systemd/system/(\S+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_service_forecasts(recipes: dict[str, str], home: Path, cron: dict[str, str]) -> None:
    job = re.findall(r"^0 3 (?:\S+ +){3}(.+)$", recipes["crontab"], re.MULTILINE)[0]
    assert silent(shell(job, home, cron))
    service = dict(re.findall(r"^(\w+)=(.*)$", units(recipes["ini"])["forecast.service"], re.MULTILINE))
    done = subprocess.run(
        shlex.split(service["ExecStart"]), cwd=service["WorkingDirectory"], env=cron, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert silent(done)
    assert {path.name for path in home.iterdir()} == {
        ".venv", "sales.csv", TRAINED, FORECAST, f".{TRAINED}.lock", f".{FORECAST}.lock"
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_units(recipes: dict[str, str], tmp_path: Path) -> None:
    files = units(recipes["ini"])
    assert set(files) == {"forecast.service", "forecast.timer"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# make


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_makes_everything_once(recipes: dict[str, str], home: Path, cron: dict[str, str]) -> None:
    (home / "Makefile").write_text(recipes["make"].replace("wql>0.5", "wql>9"))
    assert shell("make -s", home, cron).returncode == 0
    made = {name: (home / name).stat().st_mtime_ns for name in (TRAINED, FORECAST, "scores.json")}
    assert "nothing to be done" in shell("make", home, cron | {"LC_ALL": "C"}).stdout.lower()
    assert made == {name: (home / name).stat().st_mtime_ns for name in made}


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_keeps_no_scores_of_a_model_that_is_not_good_enough(
    recipes: dict[str, str], home: Path, cron: dict[str, str]
) -> None:
    (home / "Makefile").write_text(recipes["make"].replace("wql>0.5", "wql>0.000001"))
    assert shell("make -s", home, cron).returncode == 2
    assert (home / FORECAST).exists()
    assert not (home / "scores.json").exists()


# Airflow


class Bash:
    """What Airflow's documentation says of its BashOperator, where Airflow is not installed."""

    made: ClassVar[list[Bash]] = []

    def __init__(self, *, bash_command: str, cwd: str, task_id: str, skip_on_exit_code: int = 99, **_: Any) -> None:
        self.command, self.cwd, self.task, self.skips = bash_command, cwd, task_id, skip_on_exit_code
        Bash.made.append(self)

    def __rshift__(self, other: Bash) -> Bash:
        return other

    def state(self, settings: dict[str, str]) -> str:
        """How the task ends."""
        code = subprocess.run(["bash", "-c", self.command], cwd=self.cwd, env=settings, check=False).returncode
        return {0: "success", self.skips: "skipped"}.get(code, "failed")


class Dag:
    """A context, as Airflow's is."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes what Airflow's takes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


@pytest.fixture
def tasks(recipes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Bash]]:
    names = ("airflow", "airflow.sdk", "airflow.providers", "airflow.providers.standard")
    names += ("airflow.providers.standard.operators", "airflow.providers.standard.operators.bash")
    for name in names:
        module = types.ModuleType(name)
        vars(module).update(DAG=Dag, BashOperator=Bash, __path__=[])
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "dag.py").write_text(recipes["python"])
    runpy.run_path(str(tmp_path / "dag.py"))
    yield list(Bash.made)
    Bash.made.clear()


def test_the_tasks_of_the_dag_succeed(tasks: list[Bash], home: Path, cron: dict[str, str]) -> None:
    assert [(task.task, task.state(cron)) for task in tasks] == [("train", "success"), ("predict", "success")]
    assert (home / FORECAST).exists()


def test_late_data_skip_the_task(tasks: list[Bash], home: Path, cron: dict[str, str]) -> None:
    later = cron | {"RNNCLI_NOW": LATER}
    assert [task.state(later) for task in tasks] == ["success", "skipped"]
    assert not (home / FORECAST).exists()


@pytest.mark.skipif(shutil.which("airflow") is None, reason="Airflow is not on the path")
def test_airflow_runs_the_dag(recipes: dict[str, str], home: Path, cron: dict[str, str], tmp_path: Path) -> None:
    dags = tmp_path / "airflow" / "dags"
    dags.mkdir(parents=True)
    (dags / "forecast.py").write_text(recipes["python"])
    settings = os.environ | cron | {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    settings |= {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    for command in (
        ["airflow", "db", "migrate"],
        ["airflow", "dags", "reserialize"],
        ["airflow", "dags", "test", "forecast"],
    ):
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (home / FORECAST).exists()


# The shell


def test_the_loop_makes_a_model_and_a_forecast_for_every_shop(
    recipes: dict[str, str], home: Path, cron: dict[str, str]
) -> None:
    rows = (home / "sales.csv").read_text().splitlines(keepends=True)
    (home / "shops").mkdir()
    for shop in ("north", "south of here"):
        (home / "shops" / f"{shop}.csv").write_text("".join(rows[:200]))
    assert silent(shell(recipes["sh"], Path("/"), cron))
    assert (home / "north.forecast.csv").exists()
    assert (home / "south of here.forecast.csv").exists()


def test_the_loop_goes_on_after_a_shop_that_fails_and_names_it(
    recipes: dict[str, str], home: Path, cron: dict[str, str]
) -> None:
    rows = (home / "sales.csv").read_text().splitlines(keepends=True)
    (home / "shops").mkdir()
    (home / "shops" / "bad.csv").write_text("what,is\n")
    (home / "shops" / "good.csv").write_text("".join(rows[:200]))
    done = shell(recipes["sh"], Path("/"), cron)
    assert done.returncode == 1
    assert done.stderr.endswith("failed: bad\n")
    assert (home / "good.forecast.csv").exists()
