"""Run the command line on every hostile file, watched: `python run.py FOLDER`, with a JSON line of cases on stdin each.

A case is {"name", "arguments", "output"}; each runs in a process of its own, forked from one that has imported what the
commands need, under the audit hook of watched.py, where only the output may be written. A JSON line tells how it ended.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

SECONDS = 30
TESTS = Path(__file__).parents[2]


def main() -> None:
    """Run the cases on stdin."""
    folder = Path(sys.argv[1])
    cases = [json.loads(line) for line in sys.stdin]
    sys.path[:1] = [os.environ["PYTHONPATH"], *(str(TESTS / name) for name in ("", "faults"))]
    _import()
    for case in cases:
        sys.stdout.write(json.dumps(run(case, folder)) + "\n")
        sys.stdout.flush()


def _import() -> None:
    """Import and build once what every case would spend its time on."""
    import fork_server

    fork_server.prepare(["rnncli"])
    from rnncli.cli import app

    app.get_command = functools.cache(app.get_command)
    app.get_command(app.app)
    gc.freeze()


def run(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """How one case ended."""
    streams = [folder / f"{name}.txt" for name in ("stdout", "stderr")]
    child = os.fork()
    if child == 0:
        _run(case["arguments"], case["output"], streams)
    _, status, used = os.wait4(child, 0)
    texts = [path.read_text(errors="backslashreplace") for path in streams]
    return {
        "name": case["name"],
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": texts[0],
        "stderr": texts[1],
        "seconds": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss // 1024,
    }


def _run(arguments: list[str], output: str, streams: list[Path]) -> None:
    import watched

    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.argv = ["rnncli", *arguments]
    watched.declared.add(output)
    sys.addaudithook(watched.watch)
    from rnncli.cli.app import main as rnncli

    try:
        rnncli()
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))
    os._exit(126)


if __name__ == "__main__":
    main()
