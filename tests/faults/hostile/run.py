"""Run the command line on every hostile file, watched: `python run.py FOLDER`, with a JSON line of cases on stdin each.

A case is {"name", "arguments"}; each runs in a process of its own, forked from one that has imported what reading
needs, under the audit hook of watched.py, where nothing may be written. A JSON line tells how it ended.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

SECONDS, MEMORY = 30, 3 << 30


def main() -> None:
    """Run the cases on stdin."""
    folder = Path(sys.argv[1])
    cases = [json.loads(line) for line in sys.stdin]
    sys.path[0] = os.environ["PYTHONPATH"]
    from rnncli.cli import app, train  # noqa: F401
    from rnncli.data import load, readers  # noqa: F401
    from rnncli.data.readers import csv, parquet  # noqa: F401
    from rnncli.workflows import train as _  # noqa: F401

    for case in cases:
        sys.stdout.write(json.dumps(run(case, folder)) + "\n")
        sys.stdout.flush()


def run(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """How one case ended."""
    streams = [folder / f"{name}.txt" for name in ("stdout", "stderr")]
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _run(case["arguments"], streams)
    _, status, used = os.wait4(child, 0)
    texts = [path.read_text(errors="backslashreplace") for path in streams]
    return {
        "name": case["name"],
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": texts[0],
        "stderr": texts[1],
        "seconds": time.monotonic() - begun,
        "megabytes": used.ru_maxrss // 1024,
    }


def _run(arguments: list[str], streams: list[Path]) -> None:
    sys.path.insert(1, str(Path(__file__).parents[1]))
    import watched

    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.argv = ["rnncli", *arguments]
    watched.declared.add(arguments[arguments.index("-o") + 1])
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
