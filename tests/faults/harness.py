"""Breaks off real runs of rnncli, in forked processes: killed at random times, or failed at their n-th I/O call.

Run as a program of its own, so that what is forked has one thread and has imported everything once. It prints one
JSON line a case: what was done, how the process ended, and what it left. `python tests/faults/harness.py --help`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MODES = ("kill", "half", "ENOSPC", "EIO")
WATCHED = ("open", "write", "fsync", "replace", "unlink", "utime", "statvfs", "scandir", "listdir")
Command = Callable[[Path, Path], None]  # data, output


@dataclass
class Case:
    """What was done to a run, and what it left."""

    command: str
    mode: str
    place: str
    exit_code: int
    error: str
    old_whole: bool
    left: list[str]
    again: int
    same: bool
    seconds: float = 0.0


@dataclass
class Faults:
    """Fails the n-th I/O call that touches a folder; counts them without an n."""

    folder: Path
    inputs: tuple[Path, ...] = ()
    mode: str = ""
    at: int = 0
    count: int = 0
    descriptors: set[int] = field(default_factory=set)
    original: dict[str, Any] = field(default_factory=dict)
    last: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(map(str, (self.folder, *self.inputs)))

    def install(self) -> None:
        for name in WATCHED:
            self.original[name] = getattr(os, name)
            setattr(os, name, self.wrapped(name))

    def wrapped(self, name: str) -> Callable[..., Any]:
        original = self.original[name]

        def call(*arguments: Any, **options: Any) -> Any:
            if self.concerns(arguments):
                self.count += 1
                self.last = name
                if self.count == self.at:
                    self.fail(name, arguments)
            result = original(*arguments, **options)
            if name == "open" and self.concerns(arguments):
                self.descriptors.add(result)
            return result

        return call

    def concerns(self, arguments: tuple[Any, ...]) -> bool:
        if not arguments:
            return False
        target = arguments[0]
        if isinstance(target, int):
            return target in self.descriptors
        return isinstance(target, (str, os.PathLike)) and os.fspath(target).startswith(self.places)

    def fail(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self.mode in ("ENOSPC", "EIO"):
            code = getattr(errno, self.mode)
            raise OSError(code, os.strerror(code))
        if self.mode == "half" and name == "write":
            self.original["write"](arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        elif self.mode == "half":
            self.original[name](*arguments)
        os.kill(os.getpid(), signal.SIGKILL)


def forked(run: Callable[[], None], report: Path, kill_after: float | None = None) -> int:
    """The exit status of `run` in a child, negative for a signal; its error's text goes to `report`."""
    child = os.fork()
    if child == 0:
        os._exit(_ended(run, report))
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _ended(run: Callable[[], None], report: Path) -> int:
    from rnncli.cli.failure import explained

    try:
        run()
    except BaseException as error:  # noqa: BLE001 a child says how it ended
        known = explained(error)
        report.write_text(f"{known} | {known.hint}")
        return known.exit_code
    return 0


def train(data: Path, output: Path, every: float = 0.0) -> None:
    import rnncli

    small = {"horizon": 4, "hidden": 4, "layers": 1, "batch": 4, "threads": 1, "quantiles": (0.1, 0.5, 0.9)}
    rnncli.train(data, output=output, steps=STEPS, members=MEMBERS, checkpoint_every=every, **small)


def predict(data: Path, output: Path) -> None:
    import rnncli

    rnncli.predict(data, output.parent.parent / "model.safetensors", output=output)


def evaluate(data: Path, output: Path) -> None:
    import rnncli
    from rnncli.files import locked

    with locked(output):
        rnncli.evaluate(data, output.parent.parent / "model.safetensors", refit=False).write(output)


COMMANDS: dict[str, tuple[Command, str]] = {
    "train": (train, "m.safetensors"),
    "predict": (predict, "f.csv"),
    "evaluate": (evaluate, "s.json"),
}
STEPS, MEMBERS = 3, 2


def inputs_of(folder: Path) -> tuple[Path, ...]:
    return folder / "data.csv", folder / "model.safetensors"


def old_output(reference: Path) -> bytes:
    """What is there before a run: something else than it writes that it may replace, of a model a damaged one."""
    return reference.read_bytes()[:-1] if reference.suffix == ".safetensors" else b"old" * 1000


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def prepare(folder: Path) -> Path:
    """Data, a model, and everything imported that a run needs."""
    import torch

    torch.set_num_threads(1)
    data = folder / "data.csv"
    rows = [f"{2000 + i // 12}-{i % 12 + 1:02}-01,{10 + (i % 12) + i / 20:.2f}" for i in range(60)]
    data.write_text("month,y\n" + "\n".join(rows) + "\n")
    train(data, folder / "model.safetensors")
    predict(data, _place(folder, "warm") / "f.csv")
    evaluate(data, _place(folder, "warm") / "s.json")
    gc.freeze()  # what is not moved about need not be copied after a fork
    return data


def _place(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir(exist_ok=True)
    return place


def io_faults(folder: Path, commands: list[str], every: float, sample: int, rng: random.Random) -> Iterator[Case]:
    """Every I/O call of each command failed in turn in every mode; or `sample` of the calls in each mode."""
    data = prepare(folder)
    for name in commands:
        run, file = COMMANDS[name]
        whole = run if name != "train" else lambda data, output: train(data, output, every)
        reference = _place(folder, f"{name}.reference") / file
        calls = _count(whole, data, reference)
        chosen = range(1, calls + 1) if not sample else sorted(rng.sample(range(1, calls + 1), min(sample, calls)))
        for mode in MODES:
            for place in chosen:
                yield _io_fault(whole, data, reference, (name, mode, place))


def _count(run: Command, data: Path, output: Path) -> int:
    """How many I/O calls a run makes; it is run in a child, and leaves its output."""
    told = output.parent / "calls"

    def counted() -> None:
        faults = Faults(output.parent, inputs_of(output.parent.parent))
        faults.install()
        run(data, output)
        count = faults.count
        for name, original in faults.original.items():
            setattr(os, name, original)
        told.write_text(str(count))

    report = output.parent / "report"
    assert forked(counted, report) == 0, report.read_text()
    return int(told.read_text())


def _io_fault(run: Command, data: Path, reference: Path, what: tuple[str, str, int]) -> Case:
    name, mode, place = what
    folder = reference.parent.parent / f"{name}.{mode}.{place}"
    folder.mkdir()
    output, report = folder / reference.name, folder.parent / "report"
    old = old_output(reference)
    output.write_bytes(old)
    report.unlink(missing_ok=True)

    def failing() -> None:
        Faults(folder, inputs_of(folder.parent), mode, place).install()
        run(data, output)

    begun = time.monotonic()
    code = forked(failing, report)
    error = report.read_text() if report.exists() else ""
    left = sorted(path.name for path in folder.iterdir() if ".tmp." in path.name)
    now = output.read_bytes()
    whole = now == old or digest(output) == digest(reference)
    again = forked(lambda: run(data, output), report)
    after = sorted(path.name for path in folder.iterdir() if ".tmp." in path.name or path.name.endswith(".partial"))
    same = digest(output) == digest(reference) and not after
    return Case(name, mode, str(place), code, error, whole, left, again, same, time.monotonic() - begun)


def kills(folder: Path, data: Path, command: str, count: int, rng: random.Random) -> Iterator[Case]:
    """`count` runs killed at random times; a training goes on from where it was killed until it ends."""
    run, file = COMMANDS[command]
    reference = _place(folder, f"{command}.reference") / file
    report = folder / "report"
    begun = time.monotonic()
    assert forked(lambda: run(data, reference), report) == 0
    usual = time.monotonic() - begun
    killed, round_ = 0, 0
    while killed < count:
        round_ += 1
        output = _place(folder, f"{command}.round{round_}") / file
        old = old_output(reference)
        output.write_bytes(old)
        ended = False
        while not ended and killed < count:
            code = forked(lambda output=output: run(data, output), report, kill_after=rng.uniform(0, 0.8 * usual))
            ended, killed = code == 0, killed + (code == -signal.SIGKILL)
            whole = output.read_bytes() == old or digest(output) == digest(reference)
            yield Case(command, "kill", f"round {round_}", code, "", whole, [], 0, whole)
        again = forked(lambda output=output: run(data, output), report)
        left = [path.name for path in output.parent.iterdir() if ".tmp." in path.name or ".partial" in path.name]
        same = digest(output) == digest(reference)
        yield Case(command, "end", f"round {round_}", again, "", same, left, again, same)


def command_line(*arguments: object) -> None:
    """The program itself, as its entry point runs it, in silence."""
    from rnncli.cli.app import main

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    sys.argv = ["rnncli", *map(str, arguments)]
    try:
        main()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))


def signals(folder: Path, count: int, rng: random.Random) -> Iterator[Case]:
    """Trainings stopped by a signal, or by two, at random times; each goes on to the bytes of an unbroken one."""
    data = prepare(folder)
    small = ("--horizon", 4, "--hidden", 4, "--layers", 1, "--batch", 4, "--threads", 1, "--steps", STEPS)
    report = folder / "report"

    def run(output: Path) -> None:
        command_line("train", data, "-o", output, *small, "-q")

    reference = _place(folder, "signals.reference") / "m.safetensors"
    begun = time.monotonic()
    assert forked(lambda: run(reference), report) == 0
    usual = time.monotonic() - begun
    for round_ in range(count):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for twice in (False, True):
                output = _place(folder, f"{number.name}.{twice}.{round_}") / "m.safetensors"
                yield _signalled(lambda output=output: run(output), output, reference, (number, twice, rng, usual))


def _signalled(run: Callable[[], None], output: Path, reference: Path, how: tuple[Any, ...]) -> Case:
    number, twice, rng, usual = how
    child = os.fork()
    if child == 0:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        run()
    time.sleep(rng.uniform(0.1, 0.9) * usual)
    os.kill(child, number)
    if twice:
        time.sleep(0.05)
        _quietly(os.kill, child, number)
    _, status, used = os.wait4(child, 0)
    code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
    left = [path.name for path in output.parent.iterdir() if ".tmp." in path.name]
    report = reference.parent / "report"
    again = forked(run, report)
    name = f"{number.name} twice" if twice else number.name
    return Case("train", name, "", code, "", True, left, again, digest(output) == digest(reference), seconds)


def pairs(folder: Path, count: int, rng: random.Random) -> Iterator[Case]:
    """Two runs that write the same file at the same time: one writes it, the other waits or says who does."""
    data = prepare(folder)
    for command, (run, file) in COMMANDS.items():
        reference = _place(folder, f"{command}.reference") / file
        run(data, reference)
        for round_ in range(count):
            output = _place(folder, f"{command}.pair{round_}") / file
            reports = [output.parent / f"report{number}" for number in (1, 2)]
            children = []
            for report in reports:
                child = os.fork()
                if child == 0:
                    os._exit(_ended(lambda output=output, run=run: run(data, output), report))
                children.append(child)
                time.sleep(rng.uniform(0, 0.02))
            codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
            error = next((report.read_text() for report in reports if report.exists()), "")
            left = [path.name for path in output.parent.iterdir() if ".tmp." in path.name or ".partial" in path.name]
            same = digest(output) == digest(reference)
            yield Case(command, "pair", str(codes[0]), codes[1], error, same, left, 0, same)


def _quietly(call: Callable[..., Any], *arguments: Any) -> None:
    with contextlib.suppress(ProcessLookupError):
        call(*arguments)


def main() -> None:
    """Run the cases that were asked for."""
    global STEPS, MEMBERS  # set once, before anything runs
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["io", "kill", "signal", "pair"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commands", default="train,predict,evaluate")
    parser.add_argument("--counts", default="60,30", help="kills of each command")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--every", type=float, default=3600.0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    STEPS, MEMBERS = asked.steps, asked.members
    rng, commands = random.Random(asked.seed), asked.commands.split(",")
    if asked.kind == "io":
        cases = io_faults(asked.folder, commands, asked.every, asked.sample, rng)
    elif asked.kind == "pair":
        cases = pairs(asked.folder, int(asked.counts.split(",")[0]), rng)
    elif asked.kind == "signal":
        cases = signals(asked.folder, int(asked.counts.split(",")[0]), rng)
    else:
        data = prepare(asked.folder)
        counts = zip(commands, map(int, asked.counts.split(",")), strict=True)
        cases = (case for command, count in counts for case in kills(asked.folder, data, command, count, rng))
    for case in cases:
        sys.stdout.write(json.dumps(asdict(case)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
