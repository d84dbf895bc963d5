"""Numbers, fields and texts as programs and people write them: read, or refused with the flag that reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel
from rnncli.data.numbertext import Notation, hint_for, unmarked
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices
from rnncli.workflows.options import column_choices

VALUES = [1056.0, 765.0, 12345.0, 998.0, 1234567.0, 3.0, 999.0, 1000.0]
Write = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A table of one series with these numbers, its lines above the header given."""

    def write(
        numbers: list[str], mark: str = ";", above: str = "", name: str = "a.csv", encoding: str = "utf-8"
    ) -> Path:
        cells = [f'"{number}"' if mark in number else number for number in numbers]
        rows = "".join(f"2024-01-{day + 1:02}{mark}{cell}\n" for day, cell in enumerate(cells))
        (tmp_path / name).write_text(f"{above}ds{mark}y\n{rows}", encoding=encoding)
        return tmp_path / name

    return write


def told(**options: object) -> ColumnChoices:
    return column_choices(options)


def values(loaded: Loaded) -> list[float]:
    found: list[float] = loaded.panel.values[:, 0].tolist()
    return found


def read_twice(path: Path, choices: ColumnChoices | None = None) -> list[float]:
    """The values as training reads them, and as all others do, to whom nothing is said again."""
    loaded = load_panel(path, choices)
    again = load_panel(path, None, Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels))
    assert values(again) == pytest.approx(values(loaded), nan_ok=True)
    return values(loaded)


def grouped(value: float, thousands: str, decimal: str = ".", digits: int = 0) -> str:
    return f"{value:,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("thousands", "decimal"),
    [(",", "."), (".", ","), (" ", ","), ("'", "."), ("_", "."), ("\u00a0", ","), ("\u2019", ".")],
)
@pytest.mark.parametrize("digits", [0, 2])
def test_marks_between_thousands_are_read_where_they_were_said(
    write: Write, mark: str, thousands: str, decimal: str, digits: int
) -> None:
    path = write([grouped(value, thousands, decimal, digits) for value in VALUES], mark)
    assert read_twice(path, told(thousands=thousands, decimal=decimal)) == VALUES


def test_a_point_between_thousands_says_that_the_comma_is_decimal(write: Write) -> None:
    assert read_twice(write(["1.056,5", "765", "2,25", "12.000"]), told(thousands=".")) == [1056.5, 765, 2.25, 12000]


AMBIGUOUS = {
    "whole numbers below a thousand beside": ["1.056", "765", "998", "2.345"],
    "negative ones too": ["-1.056", "765", "-12", "2.345"],
    "missing values among them": ["1.056", "", "NA", "12.345", "7"],
    "one of many": [*map(str, range(100, 125)), "1.100"],
    "all but one": ["1.056", "1.234", "12.345", "123.456", "5"],
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_groups_of_three_digits_beside_whole_numbers_are_asked_about(write: Write, kind: str) -> None:
    path = write(AMBIGUOUS[kind])
    with pytest.raises(InputRefused, match="may be") as error:
        load_panel(path)
    assert "--thousands ." in error.value.hint
    assert "--decimal ." in error.value.hint
    findings = {finding.id: finding for finding in rnncli.check(path).findings}
    assert "thousands" in findings["number-ambiguous"].what
    assert "--thousands ." in findings["number-ambiguous"].remedy
    assert read_twice(path, told(decimal="."))[0] == float(AMBIGUOUS[kind][0])
    assert max(v for v in read_twice(path, told(thousands=".")) if v == v) >= 1000  # noqa: PLR0124  # not NaN


@pytest.mark.parametrize(
    "numbers",
    [
        ["1.056", "1.5", "2"],
        ["0.765", "12", "1.056"],
        ["1.056", "1200", "3"],
        ["1.056", "2.345", "3.456"],
        ["12.5", "3", "4"],
        ["3", "4", "5"],
    ],
)
def test_decimal_points_that_can_be_nothing_else_are_read(write: Write, numbers: list[str]) -> None:
    assert read_twice(write(numbers, ",")) == [float(number) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "hint"),
    [
        (["1,034", "998", "2,120"], "--thousands ,"),
        (["1,034,000", "998"], "--thousands ,"),
        (["1,034.50", "998.25"], "--thousands ,"),
        (["1.034,50", "998,25"], "--thousands ."),
        (["1 034", "998"], "--thousands space"),
        (["1'034", "998"], "--thousands '\"'\"'"),
        (["1_034", "998"], "--thousands _"),
        (["10,5", "9,25"], "--decimal ,"),
    ],
)
@pytest.mark.parametrize("told_of_target", [True, False])
def test_a_number_in_another_notation_has_the_flag_in_its_hint(
    write: Write, numbers: list[str], hint: str, told_of_target: bool
) -> None:
    path = write(numbers, ";")
    with pytest.raises(InputRefused, match="is not a number") as error:
        load_panel(path, ColumnChoices(target=("y",)) if told_of_target else None)
    assert hint.replace("'\"'\"'", "") in error.value.hint
    assert ("--decimal ," in error.value.hint) == (hint == "--decimal ,")
    assert error.value.where.endswith("a.csv:2:2")


def test_a_text_that_may_be_both_has_both_flags(write: Write) -> None:
    with pytest.raises(InputRefused) as error:
        load_panel(write(["1,034", "2,120", "3,001"], ";"))
    assert "--thousands ," in error.value.hint
    assert "--decimal ," in error.value.hint


@pytest.mark.parametrize(
    ("numbers", "right"),
    [
        (["$ 10.50", "$ 11", "$ 9.25"], [10.5, 11, 9.25]),
        (["$10.50", "-$11.00", "$-9.25"], [10.5, -11, -9.25]),
        (["10.50 €", "11 €", "€ 9.25"], [10.5, 11, 9.25]),
        (["EUR 10.50", "EUR 11", ""], [10.5, 11, np.nan]),
        (["12%", "3.5 %", "-1%"], [12, 3.5, -1]),
        (["£1", "£2", "NA"], [1, 2, np.nan]),
        (["R$ 1.50", "R$ 2", "R$ 3"], [1.5, 2, 3]),
    ],
)
def test_a_currency_or_percent_sign_that_all_numbers_have_is_read(
    write: Write, numbers: list[str], right: list[float]
) -> None:
    assert read_twice(write(numbers)) == pytest.approx(right, nan_ok=True)


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        (["12%", "0.12", "3%"], "percent"),
        (["$ 10", "€ 11", "$ 12"], "currency"),
        (["10", "11", "$ 12"], "currency"),
        (["$ 10", "11 $", "USD 12"], "currency"),
    ],
)
def test_signs_that_only_some_numbers_have_are_refused(write: Write, numbers: list[str], word: str) -> None:
    with pytest.raises(InputRefused) as error:
        load_panel(write(numbers), ColumnChoices(target=("y",)))
    assert word in error.value.hint


def test_currencies_marks_and_decimal_commas_come_together(write: Write) -> None:
    assert read_twice(write(["1.056,50 €", "-765,00 €", "€ 12.345,25"]), told(thousands=".")) == [
        1056.5,
        -765,
        12345.25,
    ]


# Lines, fields, encodings


@pytest.mark.parametrize(
    "above", ["sep=;\n", "sep=;\r\n", "# made today\n", "# one\n# two\n", "sep=;\n# made today\n", "\n", "#\n"]
)
def test_lines_above_the_header_that_say_so_are_passed_over(write: Write, above: str) -> None:
    path = write(["1.5", "2.5", "x"], ";", above)
    with pytest.raises(InputRefused) as error:
        load_panel(path)
    assert error.value.where.endswith(f"a.csv:{4 + above.count(chr(10))}:2")
    assert read_twice(write(["1.5", "2.5", "3.25"], ";", above)) == [1.5, 2.5, 3.25]


@pytest.mark.parametrize(
    "above", ["Report of sales\n", "Report\nfrom 2024\n", "Sales\n\n", "a title\nby: somebody\n\n"]
)
def test_a_table_that_begins_below_is_named(write: Write, above: str) -> None:
    with pytest.raises(InputRefused, match="seems to begin below") as error:
        load_panel(write(["1.5", "2.5", "3.25"], ";", above))
    assert f"line {above.count(chr(10)) + 1}" in error.value.hint


@pytest.mark.parametrize(
    ("row", "line", "hint"),
    [
        ("2024-01-03,3,5", 4, "decimal comma"),
        ("2024-01-03,3,", 4, "quote"),
        ("2024-01-03,1,2,3", 4, "decimal comma"),
        ("2024-01-03,a,b", 4, "quote"),
    ],
)
@pytest.mark.parametrize("command", [load_panel, rnncli.check])
def test_more_fields_than_the_header_are_refused_with_their_line(
    tmp_path: Path, row: str, line: int, hint: str, command: Callable[..., object]
) -> None:
    (tmp_path / "a.csv").write_text(f"ds,y\n2024-01-01,1\n2024-01-02,2\n{row}\n")
    with pytest.raises(InputRefused, match=f"this row has {row.count(',') + 1} fields, the header 2") as error:
        command(tmp_path / "a.csv")
    assert error.value.where.endswith(f":{line}")
    assert hint in error.value.hint


@pytest.mark.parametrize("mark", ["^", "~", ":", " ", "#", "%"])
def test_fields_are_separated_by_what_was_said(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f"ds{mark}y\n" + "".join(f"2024-01-{d:02}{mark}{d}.5\n" for d in range(1, 9)))
    assert read_twice(tmp_path / "a.csv", told(separator=mark)) == [d + 0.5 for d in range(1, 9)]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-16-le", "cp437", "utf-32", "mac-roman"])
def test_texts_in_another_encoding_are_read_where_it_was_said(tmp_path: Path, encoding: str) -> None:
    rows = "".join(f"{shop},2024-01-{d:02},{d}.5\n" for shop in ("Köln", "Zürich") for d in range(1, 9))
    (tmp_path / "a.csv").write_text(f"Straße,ds,y\n{rows}", encoding=encoding)
    with pytest.raises(InputRefused) as error:
        load_panel(tmp_path / "a.csv")
    assert "--encoding" in error.value.hint or "UTF-16" in error.value.hint
    loaded = load_panel(tmp_path / "a.csv", told(encoding=encoding))
    again = load_panel(tmp_path / "a.csv", None, Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels))
    assert (loaded.panel.ids, loaded.columns.id) == (("Köln", "Zürich"), "Straße")
    assert again.panel.ids == loaded.panel.ids


def test_a_byte_that_is_no_text_in_the_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"ds,y\n2024-01-01,1\n2024-01-02,\xff\n")
    with pytest.raises(InputRefused, match="not in ascii"):
        load_panel(tmp_path / "a.csv", told(encoding="ascii"))


def test_what_training_was_told_is_in_the_model(write: Write, run_rnncli: Run, tmp_path: Path) -> None:
    numbers = [f"1.0{50 + k % 9},{k % 10}0" for k in range(28)]
    path, model = write(numbers, "~", encoding="utf-16", name="a.txt"), tmp_path / "m.safetensors"
    flags = ("--thousands", ".", "--separator", "~", "--encoding", "utf-16", "--format", "csv")
    small = ("--horizon", "2", "--steps", "1", "--members", "1", "--hidden", "4", "-q")
    assert run_rnncli("train", path, *flags, *small, "-o", model).returncode == 0
    for command in (("predict", "--quantiles", "0.5"), ("evaluate", "--no-refit"), ("check",)):
        done = run_rnncli(command[0], path, "-m", model, *command[1:])
        assert (done.returncode, done.stderr[:6] == "error:") == (0, False), done.stderr
    forecast = run_rnncli("predict", path, "-m", model, "-q").stdout.splitlines()[1].split(",")
    assert 1000 < float(forecast[1]) < 1100


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"thousands": "x"}, "thousands"),
        ({"thousands": ",", "decimal": ","}, "decimal mark"),
        ({"separator": "ab"}, "separated"),
        ({"separator": '"'}, "separated"),
        ({"decimal": ";"}, "decimal mark"),
    ],
)
def test_marks_that_cannot_be_are_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(rnncli.UsageError, match=says):
        told(**options)


def test_an_encoding_that_is_none_is_refused(write: Write) -> None:
    with pytest.raises(rnncli.UsageError, match="no text encoding"):
        load_panel(write(["1", "2"]), told(encoding="klingon"))


@pytest.mark.parametrize(
    ("text", "mark", "bare"),
    [
        ("$ 10", "$", "10"),
        ("-$10", "$", "-10"),
        ("10", "", "10"),
        ("10%", "%", "10"),
        ("USD10", "USD", "10"),
        ("shop 1", "", "shop 1"),
    ],
)
def test_a_sign_is_told_from_its_number(text: str, mark: str, bare: str) -> None:
    assert unmarked(text) == (mark, bare)


@pytest.mark.parametrize("text", ["1.05", "1.0567", "12.34.567", "1.056.7", ".056", "1.056.", "0.056,5.1"])
def test_groups_that_are_not_of_three_digits_are_no_numbers(text: str) -> None:
    assert Notation(",", ".").number(text) is None


def test_the_hint_for_words_is_general() -> None:
    assert hint_for("many", Notation()).startswith("write numbers like")


# check


def test_check_goes_on_after_a_text_that_is_no_number(write: Write, tmp_path: Path) -> None:
    path = write(["1.5", "2.5", "many", "3.5", "few", "2.5", "1e400", "2.5", "3.5", "1.5"])
    checked = rnncli.check(path, fix=tmp_path / "b.csv")
    findings = {finding.id: finding for finding in checked.findings}
    assert findings["number-unreadable"].count == 2
    assert {"number-unreadable", "non-finite"} <= set(findings)
    assert (checked.rows, bool(checked)) == (10, False)
    assert np.isnan(load_panel(tmp_path / "b.csv").panel.values[:, 0]).sum() == 3
    assert not rnncli.check(tmp_path / "b.csv").count("error")


def test_check_ends_with_0_where_everything_was_mended(write: Write, run_rnncli: Run, tmp_path: Path) -> None:
    path = write(["1.5", "2.5", "many", "3.5", "few", "2.5"])
    assert run_rnncli("check", path).returncode == 4
    done = run_rnncli("check", path, "--fix", tmp_path / "b.csv")
    assert (done.returncode, (tmp_path / "b.csv").exists()) == (0, True), done.stdout
    assert "number-unreadable" in done.stdout
    assert run_rnncli("check", tmp_path / "b.csv").returncode == 0


def test_check_ends_with_4_where_something_is_left(tmp_path: Path, run_rnncli: Run) -> None:
    (tmp_path / "a.csv").write_text(
        "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-02,x\n2024-01-09 05:07,3\n2024-01-11,4\n2024-01-11 01:00,4\n"
    )
    done = run_rnncli("check", tmp_path / "a.csv", "--fix", tmp_path / "b.csv")
    assert done.returncode == 4


def test_groups_of_three_alone_are_asked_about_where_fields_are_separated_by_semicolons(write: Write) -> None:
    with pytest.raises(InputRefused, match="may be"):
        load_panel(write(["1.056", "2.345", "3.456"], ";"))
    assert read_twice(write(["1.056", "2.345", "3.456"], ";"), told(decimal=".")) == [1.056, 2.345, 3.456]


# What is nearly a number, and is never passed over


BAD = {
    "a dash": "-",
    "a word": "n.v.",
    "accounting": "(5)",
    "a trailing minus": "5-",
    "a flag": "5.0 p",
    "a colon": ":",
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("beside", ["temp", "store"])
def test_a_measure_with_a_bad_cell_is_the_target_or_the_error(tmp_path: Path, kind: str, beside: str) -> None:
    cells = [BAD[kind] if k == 7 else f"{9 + k % 3}.99" for k in range(20)]
    other = [f"{k % 5}.5" if beside == "temp" else "1" for k in range(20)]
    rows = [f"2024-01-{k + 1:02},{x},{cell}\n" for k, (x, cell) in enumerate(zip(other, cells, strict=True))]
    (tmp_path / "a.csv").write_text(f"date,{beside},price\n" + "".join(rows))
    with pytest.raises(InputRefused, match="more than one column could be the target") as error:
        load_panel(tmp_path / "a.csv")
    assert "price" in error.value.message
    with pytest.raises(InputRefused, match="in column 'price' is not a number") as error:
        load_panel(tmp_path / "a.csv", ColumnChoices(target=("price",)))
    assert error.value.where.endswith(":9:3")


@pytest.mark.parametrize("cell", ["-", "n.v.", "1,5", "many", "#DIV/0!"])
def test_one_bad_cell_drops_no_series_of_a_wide_table(tmp_path: Path, cell: str) -> None:
    rows = [f"2024-01-{k + 1:02},{k}.5,{chr(34) + cell + chr(34) if k == 6 else f'{k}.25'}\n" for k in range(20)]
    (tmp_path / "a.csv").write_text("date,a,b\n" + "".join(rows))
    with pytest.raises(InputRefused, match="in column 'b' is not a number") as error:
        load_panel(tmp_path / "a.csv", ColumnChoices(wide=True))
    assert error.value.where.endswith(":8:3")


def test_columns_of_a_wide_table_that_are_no_series_are_said(tmp_path: Path) -> None:
    rows = [f"2024-01-{k + 1:02},{k}.5,{k}.25,word,true\n" for k in range(20)]
    (tmp_path / "a.csv").write_text("date,a,b,remark,open\n" + "".join(rows))
    loaded = load_panel(tmp_path / "a.csv", ColumnChoices(wide=True))
    assert loaded.panel.ids == ("a", "b")
    assert any("'remark'" in note and "'open'" in note for note in loaded.notes)


@pytest.mark.parametrize("name", ["SKU", "USW", "STO", "KWH", "DEG"])
def test_three_capitals_and_digits_are_no_currency(tmp_path: Path, name: str) -> None:
    rows = [f"2024-01-{k + 1:02},{name}{i},{k}.5\n" for i in (1, 2) for k in range(20)]
    (tmp_path / "a.csv").write_text("ds,sku,y\n" + "".join(rows))
    assert load_panel(tmp_path / "a.csv").panel.ids == (f"{name}1", f"{name}2")


@pytest.mark.parametrize(
    ("then", "now"), [("${}", "€{}"), ("{}%", "0.{}"), ("0.{}", "{}%"), ("EUR {}", "{} USD"), ("£{}", "{}%")]
)
def test_another_unit_than_in_training_is_refused(write: Write, then: str, now: str) -> None:
    loaded = load_panel(write([then.format(k) for k in range(10, 30)]))
    known = Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels)
    with pytest.raises(InputRefused, match="in training it was written"):
        load_panel(write([now.format(k) for k in range(10, 30)], name="b.csv"), None, known)


@pytest.mark.parametrize("missing", [" NA", "NA ", " ", "  NaN ", "null "])
def test_blanks_around_a_missing_value_are_no_matter(write: Write, missing: str) -> None:
    assert read_twice(write(["1.5", missing, "2.5", " 3.5 ", "4.5"], ",")) == pytest.approx(
        [1.5, np.nan, 2.5, 3.5, 4.5], nan_ok=True
    )


@pytest.mark.parametrize("names", [["store"], ["shop", "item"]])
def test_ids_that_are_whole_numbers_are_asked_about(tmp_path: Path, names: list[str]) -> None:
    keys = [str(k) for k in (1, 2)] if len(names) == 1 else [f"{a},{b}" for a in (1, 2) for b in (10, 20)]
    rows = [f"{key},2024-01-{k + 1:02},3.5\n" for key in keys for k in range(10)]
    (tmp_path / "a.csv").write_text(f"{','.join(names)},ds,y\n" + "".join(rows))
    with pytest.raises(InputRefused, match="whole numbers tell series apart") as error:
        load_panel(tmp_path / "a.csv")
    assert f"--id {','.join(names)}" in error.value.hint
    assert len(load_panel(tmp_path / "a.csv", ColumnChoices(id=(",".join(names),))).panel) == len(keys)


def test_a_log_is_no_other_file(write: Write, run_rnncli: Run, tmp_path: Path) -> None:
    path, log = write([f"{k % 7}.5" for k in range(20)]), tmp_path / "log.jsonl"
    for _ in range(2):
        assert run_rnncli("check", path, "--log-file", log).returncode == 0
    assert len(log.read_text().splitlines()) >= 2
    for name, text in {
        "m.safetensors": b"\x08\0\0\0\0\0\0\0{}",
        "notes.txt": b"mine\n",
        "b.jsonl": b'{"ds": 1}\n',
    }.items():
        (tmp_path / name).write_bytes(text)
        done = run_rnncli("check", path, "--log-file", tmp_path / name)
        assert (done.returncode, (tmp_path / name).read_bytes()) == (2, text)
