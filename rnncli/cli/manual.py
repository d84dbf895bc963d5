"""Manual pages and shell completions, made from the commands: `python -m rnncli.cli.manual FOLDER`.

Who packages the program runs it; the same version writes the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer._completion_shared import get_completion_script
from typer.main import get_command

from rnncli import __version__
from rnncli.cli.app import SHORTS, app
from rnncli.cli.command import SHOWING
from rnncli.cli.examples import ENDINGS
from rnncli.errors import RnncliError
from rnncli.files import atomic_write
from rnncli.options.option import HEADINGS
from rnncli.options.table import of_command
from rnncli.workflows.explain import all_entries

COMPLETIONS = {"rnncli.bash": "bash", "_rnncli": "zsh", "rnncli.fish": "fish"}
_DOES = "train recurrent networks on sequences, forecast, score and inspect their gradients"


def documents() -> dict[str, str]:
    """The files by name: rnncli.1, a page for each command, and a completion for each shell."""
    program: Any = get_command(app)
    with program.make_context("rnncli", [], resilient_parsing=True) as root:
        pages = {f"rnncli-{name}.1": _page(name, command, root) for name, command in program.commands.items()}
    return {"rnncli.1": _program(list(program.commands)), **pages, **_completions()}


def _completions() -> dict[str, str]:
    """Scripts that ask the program itself, so that they know every command and option of the version that is there."""
    return {
        name: get_completion_script(prog_name="rnncli", complete_var="_RNNCLI_COMPLETE", shell=shell) + "\n"
        for name, shell in COMPLETIONS.items()
    }


def _program(commands: list[str]) -> str:
    lines = [*_head("rnncli", _DOES), ".SH SYNOPSIS", r".B rnncli", r".I COMMAND \fR[OPTIONS]", ".SH COMMANDS"]
    for name in commands:
        lines += [".TP", rf"\fBrnncli\-{_safe(name)}\fR(1)", _safe(SHORTS[name])]
    lines += [*_examples(""), *_ending(), ".SH SEE ALSO"]
    return _text([*lines, ", ".join(rf"\fBrnncli\-{_safe(name)}\fR(1)" for name in commands)])


def _page(name: str, command: Any, root: Any) -> str:
    """The page of a command."""
    with command.make_context(name, [], parent=root, obj=SHOWING, resilient_parsing=True) as context:
        usage = " ".join(command.collect_usage_pieces(context))
    does = SHORTS[name].removesuffix(".")
    lines = [
        *_head(f"rnncli-{name}", does[0].lower() + does[1:]),
        ".SH SYNOPSIS",
        rf"\fBrnncli {_safe(name)}\fR {_safe(usage)}",
    ]
    lines += [".SH DESCRIPTION", *(_safe(line) for line in (command.help or does).split("\n\n"))]
    lines += [*_options(name), *_examples(name), *_ending(), ".SH SEE ALSO", r"\fBrnncli\fR(1)"]
    themes = ENDINGS[name].themes if name in ENDINGS else ()
    return _text([*lines, *(rf"\fBrnncli explain {_safe(theme)}\fR" for theme in themes)])


def _head(name: str, does: str) -> list[str]:
    title = f'.TH "{name.upper()}" "1" "" "rnncli {__version__}" "User Commands"'
    return [title, ".SH NAME", rf"{_safe(name)} \- {_safe(does)}"]


def _options(command: str) -> Iterator[str]:
    """Every option under its heading."""
    told = [option for option in of_command(command) if command not in option.positional]
    for heading in HEADINGS:
        here = [option for option in told if option.heading == heading]
        yield from [f".SH {heading.upper()} OPTIONS"] if here else []
        for option in here:
            yield from (".TP", rf"\fB{_safe(option.flags)}\fR \fI{_safe(option.placeholder)}\fR", _safe(str(option)))


def _examples(name: str) -> Iterator[str]:
    if name in ENDINGS:
        yield from (".SH EXAMPLES", ".nf", *map(_safe, ENDINGS[name].examples), ".fi")


def _ending() -> Iterator[str]:
    """What holds for every command: exit codes, and where settings come from."""
    yield ".SH EXIT STATUS"
    for entry in all_entries():
        if entry.kind == "exit code":
            yield from (".TP", rf"\fB{_safe(entry.name)}\fR", _safe(f"{entry.first_sentence}."))
    yield from (".SH ENVIRONMENT", ".TP", r"\fBRNNCLI_*\fR")
    yield _safe("RNNCLI_OPTION sets an option of every command that has it, RNNCLI_COMMAND_OPTION of one; flags win.")
    yield from (".TP", r"\fBNO_COLOR\fR", "No colours, whatever its value.")


def _safe(text: str) -> str:
    """The text as roff shows it as it is: one line, which does not begin a request."""
    shown = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{shown}" if shown.startswith((".", "'")) else shown


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def main(arguments: list[str]) -> int:
    """Write the files into a folder that is there; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m rnncli.cli.manual FOLDER\n")
        return 2
    try:
        for name, text in documents().items():
            atomic_write(Path(arguments[0]) / name, text.encode())
    except RnncliError as error:
        sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
