"""What the documents say is so: README's blocks run, what exists is documented, sample data are as described."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from rnncli import errors, registry

Run = Callable[..., subprocess.CompletedProcess[str]]

BLOCK = re.compile(r"(?P<mark><!-- (?:installs|recipe) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)```\n", re.DOTALL)
ROWS = {
    "co2_weekly.csv": 2284,
    "bike_rentals.parquet": 17379,
    "sea_temperature.csv.gz": 19225,
    "us_employment.csv": 2640,
}


@pytest.fixture(scope="session")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """An empty folder with the sample data, and a command `rnncli` in `bin`."""
    shutil.copytree(root / "sample_data", tmp_path / "sample_data")
    command = tmp_path / "bin" / "rnncli"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rnncli "$@"\n')
    command.chmod(0o755)
    return tmp_path


def error_classes() -> list[type[errors.RnncliError]]:
    found = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    return [thing for thing in found if issubclass(thing, errors.RnncliError)]


def registered(table: str) -> list[str]:
    """The names in a table of the registry; those of every task where it has a table for each."""
    parts = getattr(registry, table)
    return [name for key, entry in parts.items() for name in ([key] if isinstance(entry, str) else entry)]


def code_blocks(text: str) -> list[tuple[str, str]]:
    """(language, body) of each block that installs nothing and is no recipe: those have tests of their own."""
    return [(found["language"], found["body"]) for found in BLOCK.finditer(text) if not found["mark"]]


def rows_of(path: Path) -> int:
    if path.suffix == ".parquet":
        return pyarrow.parquet.ParquetFile(path).metadata.num_rows  # type: ignore[no-any-return]
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return len(list(csv.reader(text.splitlines()))) - 1


def test_every_block_of_the_readme_runs(readme: str, checkout: Path, environment: dict[str, str]) -> None:
    read = "import sys, tomllib; tomllib.loads(sys.argv[1])"
    shell = {"sh": ["sh", "-e", "-c"], "python": [sys.executable, "-c"], "toml": [sys.executable, "-c", read]}
    small = {"RNNCLI_TRAIN_HIDDEN": "8", "RNNCLI_TRAIN_BATCH": "16"}  # what a block does not set itself
    settings = environment | small | {"PATH": f"{checkout / 'bin'}:{environment['PATH']}"}
    for language, body in code_blocks(readme):
        done = subprocess.run(
            [*shell[language], body], cwd=checkout, env=settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{body}\n{done.stdout}\n{done.stderr}"


def test_exactly_two_blocks_of_the_readme_install(readme: str) -> None:
    assert sum("installs" in (found["mark"] or "") for found in BLOCK.finditer(readme)) == 2


@pytest.mark.parametrize("error", error_classes())
def test_every_error_has_a_row_in_the_readme(readme: str, error: type[errors.RnncliError]) -> None:
    assert f"| {error.exit_code} | `{error.code}` | `{error.__name__}` |" in readme


def test_every_command_is_in_the_readme(readme: str) -> None:
    from typer.main import get_command

    from rnncli.cli.app import app

    names = getattr(get_command(app), "commands", {})
    assert names
    assert not [name for name in names if f"rnncli {name} " not in readme]


@pytest.mark.parametrize("table", ["CELLS", "BASELINES", "METRICS", "READERS", "WRITERS", "CHECKS"])
def test_every_registered_name_is_in_the_readme(readme: str, table: str) -> None:
    assert not [name for name in registered(table) if f"`{name}`" not in readme]


def test_every_decision_takes_six_lines_at_most(readme: str) -> None:
    section = readme.split("## Decisions")[1].split("\n## ", maxsplit=1)[0]
    assert max(len(paragraph.splitlines()) for paragraph in section.split("\n\n")) <= 6


def test_the_version_is_in_the_changelog(root: Path) -> None:
    from rnncli import __version__

    assert f"## [{__version__}]" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_sample_file_is_described(root: Path) -> None:
    described = (root / "sample_data" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (root / "sample_data").iterdir()} - {"README.md"}
    assert files == set(ROWS)
    assert all(f"## {name}" in described for name in files)


@pytest.mark.parametrize("name", ROWS)
def test_a_sample_file_has_the_rows_its_description_says(root: Path, name: str) -> None:
    described = (root / "sample_data" / "README.md").read_text(encoding="utf-8")
    line = next(line for line in described.splitlines() if line.startswith(f"| `{name}`"))
    assert rows_of(root / "sample_data" / name) == ROWS[name] == int(line.split("|")[3].replace(",", ""))


def test_sample_data_take_less_than_a_megabyte(root: Path) -> None:
    assert sum(path.stat().st_size for path in (root / "sample_data").iterdir()) < 1_000_000


def test_ci_names_no_host_and_no_place(root: Path) -> None:
    assert not re.findall(r"https?:|index-url|find-links|/root|/opt|/work", (root / ".ci" / "run").read_text())
