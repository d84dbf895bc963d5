"""How the program is installed: wheels of the same bytes, what predicts without PyTorch, images, manual pages."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rnncli.cli import manual
from rnncli.options.table import of_command

Run = Callable[..., subprocess.CompletedProcess[str]]
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
ENTRY = "import sys; sys.path.insert(0, {site!r}); from rnncli.cli.app import main; main()"


def installed_by(line: str) -> list[str]:
    """What the last `pip install` of a line names."""
    return [word for word in shlex.split(line.rpartition("pip install")[2]) if not word.startswith("-")]


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "rnncli" / "pages" / "install.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def containerfile(root: Path) -> list[str]:
    return (root / ".container" / "Containerfile").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def copied(root: Path, containerfile: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the image's first stage copies of the checkout, and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    for line in containerfile:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.split()[1:]
            for source in sources:
                place = folder / target / ("" if len(sources) > 1 else source)
                if (root / source).is_dir():
                    shutil.copytree(root / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(root / source, place)
    return folder


def wheel_of(source: Path, out: Path, *, umask: int = 0o22) -> Path:
    pytest.importorskip("hatchling", reason="hatchling comes with the extra `test`")
    done = subprocess.run(
        ["sh", "-c", f"umask {umask:o} && exec {shlex.join([sys.executable, '-c', BUILD, str(out)])}"],
        cwd=source, capture_output=True, text=True, check=False,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(copied, tmp_path_factory.mktemp("wheel"))


def closure(names: list[str]) -> Iterator[importlib.metadata.Distribution]:
    """The distributions of these requirements and all that they require."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    while names:
        needed = Requirement(names.pop())
        if needed.name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
            found.add(needed.name)
            distribution = importlib.metadata.distribution(needed.name)
            assert needed.specifier.contains(distribution.version, prereleases=True)
            names += distribution.requires or []
            yield distribution


@pytest.fixture(scope="module")
def predict_only(wheel: Path, page: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`rnncli` in an interpreter that finds the wheel and what the documented line installs, and nothing else."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    line = next(line for line in page.splitlines() if line.startswith("pip install --no-deps rnncli"))
    for distribution in closure(installed_by(line)):
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "-c", ENTRY.format(site=str(site)), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=site.parent)

    return run


def test_the_line_that_installs_what_predicts_names_every_dependency_but_pytorch(root: Path, page: str) -> None:
    needed = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    line = next(line for line in page.splitlines() if line.startswith("pip install --no-deps rnncli"))
    assert installed_by(line) == [one for one in needed if not one.startswith("torch") and ";" not in one]


def test_every_extra_for_users_is_on_the_page(root: Path, page: str) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    listed = {name for row in re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE) for name in re.findall(r"`(.*?)`", row)}
    assert listed == set(extras) - {"test", "fuzz", "dev"}


def test_what_that_line_installs_predicts_the_same_bytes(
    predict_only: Run, run_rnncli: Run, sample_data: Path, small_model: Path
) -> None:
    words = ("predict", sample_data / "co2_weekly.csv", "-m", small_model)
    done = predict_only(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run_rnncli(*words).stdout
    assert json.loads(predict_only("--version", "--json").stdout)["trains"] is False


@pytest.mark.parametrize("command", ["train", "evaluate", "inspect-gradients"])
def test_what_trains_there_says_what_to_install(
    predict_only: Run, page: str, sample_data: Path, small_model: Path, command: str
) -> None:
    model = ("-o", "x.safetensors") if command == "train" else ("-m", small_model)
    done = predict_only(command, sample_data / "co2_weekly.csv", *model)
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()[-2:]
    assert "needs PyTorch, and this installation only predicts" in error
    assert f"{hint}\n```" in page
    assert command != "train" or f"```text\n{error}\n" in page


def test_two_builds_are_the_same_bytes(copied: Path, wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(copied, other)
    for file in other.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    again = wheel_of(other, tmp_path / "wheels", umask=0o77)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (wheel, again)]
    assert digests[0] == digests[1]


def test_the_wheel_holds_the_package_alone(root: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = {str(p.relative_to(root)) for p in (root / "rnncli").rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert names == tracked


def test_the_image_installs_the_same_and_runs_as_nobody_special(containerfile: list[str], page: str) -> None:
    line = next(line for line in page.splitlines() if line.startswith("pip install --no-deps rnncli"))
    installs = [line for line in containerfile if line.startswith("RUN pip install")]
    assert installed_by(installs[-1]) == installed_by(line)
    assert not any("torch" in line.lower() for line in containerfile if not line.startswith("#"))
    assert [line for line in containerfile if line.startswith("USER")] == ["USER forecaster"]
    assert containerfile.index("USER forecaster") > containerfile.index(installs[-1])


def test_the_version_as_json(run_rnncli: Run) -> None:
    from rnncli import __version__

    for words in (("--version", "--json"), ("--json", "--version")):
        found = json.loads(run_rnncli(*words).stdout)
        assert (found["schema"], found["version"], found["trains"]) == ("rnncli.version/1", __version__, True)
        assert found["packages"]["torch"]
    done = run_rnncli("--json", "train")
    assert (done.returncode, done.stdout) == (2, "")
    assert "hint: options follow the command" in done.stderr


@pytest.fixture(scope="module")
def written(run_python: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manual")
    done = run_python("-m", "rnncli.cli.manual", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_command_has_a_page_with_every_option(written: Path) -> None:
    pages = {file.stem.removeprefix("rnncli-"): file.read_text().replace(r"\-", "-") for file in written.glob("*-*.1")}
    assert set(pages) == set(manual.SHORTS)
    for command, text in pages.items():
        shown = set(re.findall(r"^\\fB(--[\w-]+)", text, re.MULTILINE))
        expected = {o.flags.split()[0].split("/")[0] for o in of_command(command) if command not in o.positional}
        assert shown == expected


def test_the_pages_are_read_without_a_complaint(written: Path) -> None:
    if shutil.which("groff") is None:
        pytest.skip("there is no groff here")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", *sorted(written.glob("*.1"))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rnncli train sales.csv --horizon 28 -o sales.safetensors" in re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout)


def test_bash_completes_by_the_script(written: Path, rnncli_script: Callable[..., str], tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    command = tmp_path / "rnncli"
    command.write_text(rnncli_script())
    command.chmod(0o755)
    asked = (
        f"source {written / 'rnncli.bash'}; COMP_WORDS=(rnncli di); COMP_CWORD=1;"
        ' $(complete -p rnncli | sed -E "s/.*-F ([^ ]+).*/\\1/") rnncli di rnncli; echo "${COMPREPLY[@]}"'
    )
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", asked], env=os.environ | path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["diff"], done.stderr


def test_a_folder_that_is_not_there_is_said(run_python: Run, tmp_path: Path) -> None:
    done = run_python("-m", "rnncli.cli.manual", tmp_path / "none")
    assert done.returncode == 8
    assert "hint: make the folder first" in done.stderr
    assert run_python("-m", "rnncli.cli.manual").returncode == 2
