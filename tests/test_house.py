"""What the documents say is so: their examples run, what exists is explained, sample data are as described."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet
import pytest

from rnncli import errors, registry
from rnncli.workflows.explain import KINDS, all_entries

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "rnncli" / "pages").glob("*.md"))
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "rnncli" / "DECISIONS.md",
    *sorted((ROOT / "tests").glob("*/README.md")),
    *PAGES,
]
ROWS = {
    "co2_weekly.csv": 2284,
    "bike_rentals.parquet": 17379,
    "sea_temperature.csv.gz": 19225,
    "us_employment.csv": 2640,
    "digits.csv": 1600,
    "moving_digits.parquet": 2400,
}
REGISTERED = {
    "checks": ("CHECKS", "LABEL_CHECKS", "TOKEN_CHECKS", "SET_CHECKS", "FRAME_CHECKS"),
    "findings": ("GRADIENT_CHECKS", "TRIAL_CHECKS"),
    "remedies": ("REMEDIES",),
    "metrics": ("METRICS",),
    "baselines": ("BASELINES",),
    "cells": ("CELLS",),
    "formats": ("READERS", "WRITERS"),
}
WRAPPERS = {"dilated", "bidirectional", "conv"}  # names of cells that stand before another one's


class Block(NamedTuple):
    """A fenced block of a document, and what the comment above it says of it."""

    mark: str
    language: str
    body: str

    @property
    def runs(self) -> bool:
        """Whether it can be run here as it is."""
        if self.mark.startswith(("installs", "recipe", "output of", "by hand", "write", "insert", "append")):
            return False
        needed = re.findall(r"\w+", self.mark.removeprefix("needs ")) if self.mark.startswith("needs ") else []
        return all(importlib.util.find_spec(name) is not None for name in needed)


def blocks(text: str) -> Iterator[Block]:
    for found in re.finditer(r"(?:<!-- ([^\n]*) -->\n)?```(\w*)\n(.*?)```\n", text, re.DOTALL):
        yield Block(found[1] or "", found[2], found[3])


def names(table: dict[str, Any]) -> set[str]:
    """The names of a registered table, which may hold one for each task."""
    return {name for key, value in table.items() for name in (value if isinstance(value, dict) else [key])}


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_blocks(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], rnncli_script: Callable[[], str]
) -> Any:
    """Run the blocks of a text in a folder with the sample data and a command `rnncli`: the same one for all."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    command = folder / "bin" / "rnncli"
    command.parent.mkdir()
    command.write_text(rnncli_script())
    command.chmod(0o755)
    python = [command, "-c"] if sys.platform == "linux" else [sys.executable, "-c"]
    read = "import sys, tomllib; tomllib.loads(sys.argv[1])"
    shell = {"sh": ["sh", "-e", "-c"], "python": python, "toml": [sys.executable, "-c", read]}
    # what an example does not set itself
    small = {
        "RNNCLI_TRAIN_HIDDEN": "8",
        "RNNCLI_TRAIN_BATCH": "16",
        "RNNCLI_TRAIN_MEMBERS": "1",
        "RNNCLI_INSPECT_GRADIENTS_SERIES": "2",
    }
    settings = environment | small | {"PATH": f"{folder / 'bin'}:{environment['PATH']}"}

    def run(text: str) -> None:
        for block in blocks(text):
            if block.runs:
                done = subprocess.run(
                    [*shell[block.language], block.body], cwd=folder, env=settings, capture_output=True, text=True,
                    check=False,
                )  # fmt: skip
                assert done.returncode == 0, f"{block.body}\n{done.stdout}\n{done.stderr}"

    return run


@pytest.fixture(scope="module")
def after_the_readme(run_blocks: Any, readme: str) -> Any:
    """`run_blocks` where the examples of README have been run: pages go on with their files."""
    run_blocks(readme)
    return run_blocks


def test_every_example_of_the_readme_runs(after_the_readme: Any) -> None:
    assert after_the_readme is not None


@pytest.mark.parametrize(
    "page", [page.stem for page in PAGES if "```" in page.read_text(encoding="utf-8") and page.stem != "adding"]
)
def test_every_example_of_a_page_runs(after_the_readme: Any, page: str) -> None:
    after_the_readme((ROOT / "rnncli" / "pages" / f"{page}.md").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_output_in_the_readme_is_what_is_printed(readme: str, run_rnncli: Any, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    shown = [block for block in blocks(readme) if block.mark.startswith("output of")]
    assert len(shown) == 2
    for block in shown:
        done = run_rnncli(*block.mark.removeprefix("output of rnncli ").split(), cwd=tmp_path)
        assert_alike(block.body, done.stderr + done.stdout)


def assert_alike(shown: str, printed: str) -> None:
    """Each line that is shown is printed, its numbers within a tenth: they depend on the machine's rounding."""
    first = re.search(rf"^{re.escape(shown.split(maxsplit=1)[0])}", printed, re.MULTILINE)
    assert first is not None
    begin = first.start()
    for line, other in zip(shown.splitlines(), printed[begin:].splitlines(), strict=False):
        for one, two in zip(re.split(r"[\s,%]+", line), re.split(r"[\s,%]+", other), strict=True):
            assert one == two or float(one) == pytest.approx(float(two), rel=0.1), line


def test_the_readme_is_a_page_that_one_reads(readme: str) -> None:
    assert len(readme.splitlines()) <= 300


def test_exactly_two_blocks_of_the_readme_install(readme: str) -> None:
    assert sum(block.mark == "installs" for block in blocks(readme)) == 2


def test_the_recipes_of_the_readme_are_those_of_their_page(readme: str) -> None:
    recipes = [block for block in blocks(readme) if block.mark == "recipe"]
    page = (ROOT / "rnncli" / "pages" / "recipes.md").read_text(encoding="utf-8")
    assert recipes
    assert set(recipes) <= set(blocks(page))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    prose = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    assert not [link for link in links if ":" not in link and not (document.parent / link).exists()]


def test_every_page_is_linked_from_the_readme_or_is_an_entry_of_a_kind(readme: str) -> None:
    linked = set(re.findall(r"rnncli/pages/([\w-]+)\.md", readme))
    assert {page.stem for page in PAGES} <= linked | set(KINDS)


def test_every_command_is_in_the_readme(readme: str) -> None:
    from typer.main import get_command

    from rnncli.cli.app import app

    commands = getattr(get_command(app), "commands", {})
    assert commands
    assert not [name for name in commands if f"rnncli {name} " not in readme]


@pytest.mark.parametrize("kind", REGISTERED)
def test_every_registered_name_is_explained_and_no_other(kind: str) -> None:
    registered = set().union(*(names(getattr(registry, table)) for table in REGISTERED[kind]))
    explained = {entry.name for entry in all_entries() if entry.kind == KINDS[kind]} - WRAPPERS
    assert explained == registered


def test_everything_that_a_task_is_asked_is_on_the_page_on_adding_one() -> None:
    from rnncli.tasks.task import Task

    page = (ROOT / "rnncli" / "pages" / "adding.md").read_text(encoding="utf-8").partition("\n## A task")[2]
    asked = {name for kind in Task.__mro__ for name in vars(kind) if not name.startswith("_")}
    assert len(asked) > 20
    assert not [name for name in asked if f"`{name}`" not in page]


def test_the_tour_can_be_read_in_one_sitting() -> None:
    assert len((ROOT / "tests" / "test_tour.py").read_text(encoding="utf-8").splitlines()) <= 120


def test_every_error_is_explained_with_its_class_and_its_exit_code() -> None:
    found = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    classes = [thing for thing in found if issubclass(thing, errors.RnncliError)]
    entries = {entry.name: entry for entry in all_entries() if entry.kind == "error"}
    codes = {entry.name for entry in all_entries() if entry.kind == "exit code"}
    assert {error.code for error in classes} == set(entries)
    for error in classes:
        entry = entries[error.code]
        assert error.__name__ in entry.names
        assert entry.text.startswith(f"Exit code {error.exit_code}.")
        assert str(error.exit_code) in codes


def test_every_exit_code_is_in_the_readme(readme: str) -> None:
    codes = {entry.name for entry in all_entries() if entry.kind == "exit code"} - {"signal"}
    assert codes == set(re.findall(r"^\| (\d+) \|", readme, re.MULTILINE))


def test_every_decision_takes_six_lines_at_most() -> None:
    text = (ROOT / "rnncli" / "DECISIONS.md").read_text(encoding="utf-8")
    assert text.count("\n\n**") > 30
    assert max(len(paragraph.splitlines()) for paragraph in text.split("\n\n")) <= 6


def test_the_version_is_in_the_changelog() -> None:
    from rnncli import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def rows_of(path: Path) -> int:
    if path.suffix == ".parquet":
        return pyarrow.parquet.ParquetFile(path).metadata.num_rows  # type: ignore[no-any-return]
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return len(list(csv.reader(text.splitlines()))) - 1


def test_every_sample_file_is_described() -> None:
    described = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "sample_data").iterdir()} - {"README.md"}
    assert files == set(ROWS)
    assert all(f"## {name}" in described for name in files)


@pytest.mark.parametrize("name", ROWS)
def test_a_sample_file_has_the_rows_its_description_says(name: str) -> None:
    described = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8")
    line = next(line for line in described.splitlines() if line.startswith(f"| `{name}`"))
    assert rows_of(ROOT / "sample_data" / name) == ROWS[name] == int(line.split("|")[3].replace(",", ""))


def test_sample_data_take_less_than_a_megabyte() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "sample_data").iterdir()) < 1_000_000


def test_ci_names_no_host_and_no_place() -> None:
    assert not re.findall(r"https?:|index-url|find-links|/root|/opt|/work", (ROOT / ".ci" / "run").read_text())
