"""What data stand for is what is read, and what would be read if it were there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rnncli.data.reach import reach
from rnncli.data.source import sources
from rnncli.files import marks
from rnncli.spec import ColumnChoices

Run = Callable[..., subprocess.CompletedProcess[str]]
ROW = "ds,y\n2024-01-01,1\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a file, two folders of files, and a link to one of them."""
    for name in ("a.csv", "d/b.csv", "d/.hidden.csv", "d/notes.txt", "d/deep/c.tsv", "e/x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROW)
    (tmp_path / "link").symlink_to("d")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("a.csv", "./a.csv"),
        ("a.csv", "d/../a.csv"),
        ("./d", "d/b.csv"),
        ("d", "link/new.csv"),
        ("d", "d/deep/../new.parquet"),
        ("link", "d/new.csv.gz"),
        ("d/*.csv", "d/new.csv"),
        ("link/*.csv", "d/new.csv"),
        ("*/*.csv", "e/new.csv"),
        ("**/*.tsv", "d/deep/new.tsv"),
        ("**/*.tsv", "new.tsv"),
        ("d/**", "d/deep/new"),
        ("**", "new"),
        ("d*", "d/new.csv"),
        ("d*/", "d/new.csv"),
        ("d/[bn]*.csv", "d/new.csv"),
        ("d/.*.csv", "d/.new.csv"),
        ("nothing-*.csv", "nothing-yet.csv"),
        ("[x].csv", "[x].csv"),
        ("e/x.csv", "e/x.csv"),
        ("absent.csv", "./absent.csv"),
        ("no/folder/absent.csv", "no/folder/absent.csv"),
    ],
)
def test_what_is_read_or_would_be_is_within_reach(here: Path, item: str, path: str) -> None:
    assert reach(item).includes(marks(path))
    assert reach(Path(item)).includes(marks(here / path)) or item.endswith("/")


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("a.csv", "b.csv"),
        ("d", "d/new.txt"),
        ("d", "d/.hidden.csv"),
        ("d", "d/deep/new.tsv"),
        ("d", "e/x.csv"),
        ("d/*.csv", "d/new.parquet"),
        ("d/*.csv", "d/.hidden.csv"),
        ("*.csv", "d/new.csv"),
        ("d/**/*.tsv", "e/new.tsv"),
        ("-", "-"),
        ("a\0b*", "a.csv"),
        ("a\0b", "a.csv"),
    ],
)
def test_what_is_not_read_is_out_of_reach(here: Path, item: str, path: str) -> None:
    assert not reach(item).includes(marks(here / path))


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("s3://b/in/*.csv", "s3://b/in/new.csv"),
        ("s3://b/in/*.csv", "s3://b/in/new%201.csv?region=eu-west-1"),
        ("s3://b/in/*.csv?region=eu-west-1", "s3://b/in/new.csv"),
        ("S3://b/*/x?.csv", "s3://b/in/x1.csv"),
        ("s3://b/**/*.csv", "s3://b/in/deep/new.csv"),
        ("s3://b/**/*.csv", "s3://b/new.csv"),
        ("s3://b/in", "s3://b/in/new.csv"),
        ("s3://b/in/?scheme=http&endpoint_override=localhost:9000", "s3://b/in/new.csv"),
        ("s3://b/in", "s3://b/in/year=2024/new.csv"),
        ("s3://b/a%20b.csv", "s3://b/a b.csv"),
        ("s3://b/a b.csv", "s3://b/a%20b.csv?region=eu-west-1"),
        ("gs://b/a.csv", "gs://b/a.csv"),
    ],
)
def test_what_is_read_of_a_bucket_or_would_be_is_within_reach(item: str, path: str) -> None:
    assert reach(item).includes(marks(path))


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("s3://b/in/*.csv", "s3://b/in/out/new.csv"),
        ("s3://b/in/*.csv", "s3://b/in/.new.csv"),
        ("s3://b/in/*.csv", "s3://b/new.csv"),
        ("s3://b/*/x.csv", "s3://b/x.csv"),
        ("s3://b/*/x.csv", "s3://b/in/deep/x.csv"),
        ("s3://b/in", "s3://b/in/out/new.csv"),
        ("s3://b/in", "s3://b/in/new.txt"),
        ("s3://b/in", "s3://b/in2/new.csv"),
        ("s3://b/a.csv", "gs://b/a.csv"),
    ],
)
def test_what_is_not_read_of_a_bucket_is_out_of_reach(item: str, path: str) -> None:
    assert not reach(item).includes(marks(path))


@pytest.mark.parametrize("item", ["a.csv", "d", "d/*", "*.csv", "**/*.tsv", "link", "d/**"])
def test_every_file_that_is_read_is_within_reach(here: Path, item: str) -> None:
    found = [source.path for source in sources(item, ColumnChoices(format="csv"))]
    assert found
    assert all(reach(item, "csv").includes(marks(here / str(path))) for path in found)


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize("item", ["d", "d/*.csv", "d/other.csv", "**/o*", "*"])
def test_a_file_is_the_same_under_another_name(here: Path, link: Callable[..., None], item: str) -> None:
    link(here / "a.csv", here / "d" / "other.csv")
    assert reach(item).includes(marks("a.csv"))


def test_a_link_in_a_folder_leads_to_a_file_that_is_not_there_yet(here: Path) -> None:
    (here / "d" / "other.csv").symlink_to(here / "later.csv")
    assert reach("d").includes(marks("later.csv"))


def test_where_a_format_is_chosen_every_file_of_a_folder_is_read(here: Path) -> None:
    assert reach(here / "d", "csv").includes(marks("d/notes.txt"))
    assert not reach(here / "d", "csv").includes(marks("d/.hidden.csv"))


@pytest.mark.parametrize("item", [None, 3, b"a.csv", [], pa.table({"y": [1]})])
def test_what_is_no_path_reaches_nothing(here: Path, item: Any) -> None:
    assert not reach(item).includes(marks(here / "a.csv"))


def test_a_file_that_is_standard_input_is_read(here: Path, run_python: Run) -> None:
    asked = "from rnncli.data.reach import reach; from rnncli.files import marks; import sys;"
    asked += "print(reach('-').includes(marks('a.csv')))"
    with (here / "a.csv").open() as file:
        assert run_python("-c", asked, stdin=file, cwd=here).stdout == "True\n"
    assert run_python("-c", asked, input="", cwd=here).stdout == "False\n"
    assert run_python("-c", f"import sys; sys.stdin = None; {asked}", cwd=here).stdout == "False\n"
    assert sys.executable
