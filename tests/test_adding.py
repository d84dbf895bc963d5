"""The page on adding things works to the letter: what it adds to a copy of the package runs there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIRST, *SECTIONS = (ROOT / "rnncli" / "pages" / "adding.md").read_text(encoding="utf-8").split("\n## A ")
BLOCK = re.compile(r"(?:<!-- ([^\n]*) -->\n)?```\w+\n(.*?)```\n", re.DOTALL)


@pytest.fixture(scope="module")
def copy(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], rnncli_script: Callable[[Path], str]
) -> Path:
    """A copy of the package and the sample data, a command `rnncli` of its own, and a model `jobs.safetensors`."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("rnncli", "sample_data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = folder / "bin" / "rnncli"
    command.parent.mkdir()
    command.write_text(rnncli_script(folder))
    command.chmod(0o755)
    (train,) = re.findall(r"^rnncli train .*$", FIRST, re.MULTILINE)
    done = run(folder, train, environment)
    assert done.returncode == 0, done.stderr
    return folder


def run(folder: Path, script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # what an example does not set itself
    small = {"RNNCLI_TRAIN_HIDDEN": "8", "RNNCLI_TRAIN_BATCH": "16", "RNNCLI_INSPECT_GRADIENTS_SERIES": "2"}
    settings = environment | small | {"PATH": f"{folder / 'bin'}:{environment['PATH']}", "PYTHONPATH": str(folder)}
    command = ["sh", "-e", "-c", script]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)


def changed(folder: Path, mark: str, body: str) -> None:
    """Do what a mark says with its block: write a file, append to one, or insert below a line."""
    doing, place = mark.split(maxsplit=1)
    path, _, line = place.removeprefix("into ").removeprefix("to ").partition(" below ")
    if doing == "write":
        assert not (folder / path).exists()
        (folder / path).write_text(body, encoding="utf-8")
        return
    text = (folder / path).read_text(encoding="utf-8")
    if doing == "append":
        text += body
    else:
        assert text.count(f"\n{line}") == 1, line
        before, _, after = text.partition(f"\n{line}")
        text = f"{before}\n{line}\n{body.rstrip()}{after}"
    (folder / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "section", [text for text in SECTIONS if "<!-- write" in text], ids=lambda text: text.partition("\n")[0]
)
def test_what_a_section_adds_runs(copy: Path, environment: dict[str, str], section: str) -> None:
    blocks = [(found[1] or "", found[2]) for found in BLOCK.finditer(section)]
    assert blocks
    for mark, body in blocks:
        if mark.startswith(("write", "insert", "append")):
            changed(copy, mark, body)
        elif mark != "by hand":
            done = run(copy, body, environment)
            assert done.returncode == 0, f"{body}\n{done.stdout}\n{done.stderr}"
