"""Texts that a CSV file should not hold, and some that it may: name -> (file name, bytes, further arguments)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Cases = dict[str, tuple[str, bytes, tuple[str, ...]]]

DAYS = tuple(f"2024-01-{day:02}" for day in range(1, 13))
LONG_FIELD = "x" * (5 << 20)


def rows(cells: Iterable[str], header: str = "ds,y", end: str = "\n") -> bytes:
    """A table of a header and lines."""
    return "".join(f"{line}{end}" for line in (header, *cells)).encode()


def with_value(value: str, row: int = 5) -> bytes:
    """Twelve days of which one has this value."""
    return rows(f"{day},{value if place == row else place}" for place, day in enumerate(DAYS))


def with_time(time: str, row: int = 5) -> bytes:
    """Twelve days of which one is this."""
    return rows(f"{time if place == row else day},{place}" for place, day in enumerate(DAYS))


def with_ids(ids: Iterable[str]) -> bytes:
    """Twelve days of each id."""
    return rows((f"{name},{day},{place}" for name in ids for place, day in enumerate(DAYS)), "id,ds,y")


def of_times(times: Iterable[str]) -> bytes:
    """Rows at these times."""
    return rows(f"{time},{place}" for place, time in enumerate(times))


GOOD = of_times(DAYS)


def structure() -> Cases:
    """Files that are no table, or a damaged one."""
    texts: dict[str, bytes] = {
        "empty": b"",
        "blank": b"\n \n\t\n",
        "byte order mark alone": b"\xef\xbb\xbf",
        "header alone": b"ds,y\n",
        "header without an end": b"ds,y",
        "no header": GOOD.split(b"\n", 1)[1],
        "one column": rows(DAYS, "ds"),
        "no time": rows(("a,1", "b,2", "c,3"), "name,y"),
        "no number": rows((f"{day},x" for day in DAYS), "ds,name"),
        "two numbers": rows((f"{day},1,2" for day in DAYS), "ds,a,b"),
        "two times": rows((f"{day},{day},2" for day in DAYS), "a,b,y"),
        "column twice": rows((f"{day},1,2" for day in DAYS), "ds,y,y"),
        "nul in a field": with_value("1\0"),
        "nul in the header": GOOD.replace(b"y\n", b"y\0\n", 1),
        "utf-16": GOOD.decode().encode("utf-16"),
        "utf-16 without a mark": GOOD.decode().encode("utf-16-le"),
        "utf-32": GOOD.decode().encode("utf-32"),
        "latin-1 in the header": GOOD.replace(b"y\n", b"gr\xfc\xdfe\n", 1),
        "latin-1 in a field": rows((f"{day},{place},caf" for place, day in enumerate(DAYS)), "ds,y,where").replace(
            b"3,caf", b"3,caf\xe9"
        ),
        "a long row": rows((*(f"{day},1" for day in DAYS[:6]), "2024-01-07,1,2")),
        "a short row": rows((*(f"{day},1" for day in DAYS[:6]), "2024-01-07")),
        "a long row after many": rows((*(f"{2000 + row // 365},{row}" for row in range(3000)), "1,2,3"), "ds,y"),
        "quote not closed": rows((*(f"{day},1" for day in DAYS[:6]), '"2024-01-07,1')),
        "quote within a field": with_value('4"5'),
        "text after a quote": with_value('"4"5'),
        "a field of five megabytes": with_value(LONG_FIELD),
        "a line of five megabytes of blanks": with_value(" " * (5 << 20)),
        "control-z at the end": GOOD + b"\x1a",
        "a parquet file": b"PAR1" + bytes(200) + b"PAR1",
        "a zip archive": b"PK\x03\x04" + bytes(200),
        "an executable": b"\x7fELF" + bytes(200),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "a page": b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n",
        "json": b'{"ds": ["2024-01-01"], "y": [1]}\n',
        "json lines": b'{"ds": "2024-01-01", "y": 1}\n{"ds": "2024-01-02", "y": 2}\n',
        "a pickle": b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "an error message": b"bash: query: command not found\n",
        "two tables": GOOD + b"\n" + GOOD,
        "spaces for delimiters": GOOD.replace(b",", b" "),
        "footnote": GOOD + b"Source: the office of numbers\n",
        "comment first, then nothing": b"# exported today\n",
        "conflict marks": GOOD.replace(b"2024-01-05", b"<<<<<<< HEAD\n2024-01-05", 1),
        "random bytes": bytes((place * 167 + 13) % 256 for place in range(5000)),
    }
    return {name: ("data.csv", data, ()) for name, data in texts.items()}


def values() -> Cases:
    """Values that are no numbers, or numbers that are none to compute with."""
    texts = {
        "infinite": "inf",
        "minus infinite": "-Infinity",
        "overflow": "1e309",
        "too large": "1e200",
        "hexadecimal": "0x10",
        "underscores": "1_000",
        "thousands": '"1,234.5"',
        "decimal comma": '"1,5"',
        "currency": "$5",
        "percent": "5%",
        "units": "5 kg",
        "two points": "1.2.3",
        "a word": "closed",
        "a question mark": "?",
        "a dash": "-",
        "true": "true",
        "fraction": "1/2",
        "arabic digits": "٣",
        "full-width digits": "\uff11\uff12",
        "no-break space": "1\u00a0234",
        "minus sign": "\u22125",
        "formula": "=1+1",
        "error of a spreadsheet": "#DIV/0!",
        "reference error": "#REF!",
        "date": "2024-02-30",
        "complex": "1+2j",
        "brackets": "(5)",
        "escape": "\x1b[2J5",
        "five thousand digits": "9" * 5000,
    }
    found = {f"value {name}": ("data.csv", with_value(text), ()) for name, text in texts.items()}
    semicolons = rows((f"{day};{place},5" for place, day in enumerate(DAYS)), "ds;y")
    points = rows((f"{day};{place}.5" for place, day in enumerate(DAYS)), "ds;y")
    return found | {
        "decimal commas between semicolons": ("data.csv", semicolons, ()),
        "decimal points where commas were said": ("data.csv", points, ("--decimal", ",")),
        "no value at all": ("data.csv", rows(f"{day}," for day in DAYS), ("--target", "y")),
        "a target that is not there": ("data.csv", GOOD, ("--target", "sales")),
        "a target of text": ("data.csv", rows((f"{day},1,x" for day in DAYS), "ds,y,z"), ("--target", "z")),
    }


def ids() -> Cases:
    """Names of series that would do harm, or are none."""
    texts: dict[str, tuple[str, ...]] = {
        "empty": ("a", ""),
        "nul": ("a", "b\0"),
        "newline": ("a", '"b\nc"'),
        "carriage return": ("a", '"b\rc"'),
        "escape": ("a", "\x1b]8;;http://x\x07b"),
        "bell": ("a", "b\x07"),
        "delete": ("a", "b\x7f"),
        "c1": ("a", "b\x9b31m"),
        "tab": ("a", '"b\tc"'),
    }
    found = {f"id {name}": ("data.csv", with_ids(names), ()) for name, names in texts.items()}
    return found | {
        "id column that is not there": ("data.csv", with_ids("ab"), ("--id", "shop")),
        "ids that are missing": ("data.csv", with_ids("ab").replace(b"b,2024-01-03", b",2024-01-03"), ()),
        "two columns that could be the id": (
            "data.csv",
            rows((f"{name},{name},{day},1" for name in "ab" for day in DAYS), "one,two,ds,y"),
            (),
        ),
    }


def times() -> Cases:
    """Times that are none, or that no grid holds."""
    single = {
        "the thirtieth of february": "2024-02-30",
        "month thirteen": "2024-13-01",
        "leap second": "2024-06-30T23:59:60",
        "year nought": "0000-01-01",
        "year ten thousand": "10000-01-01",
        "words": "yesterday",
        "empty": "",
        "zone of words": "2024-01-06 CEST",
        "another style": "06/01/2024",
        "two digits": "24-01-06",
        "number among dates": "45297",
        "escape": "2024-01-06\x1b[0m",
        "minus": "-2024-01-06",
        "hour twenty-five": "2024-01-06T25:00",
        "nul": "2024-01-06\0",
    }
    found = {f"time {name}": ("data.csv", with_time(text), ()) for name, text in single.items()}
    several: dict[str, Iterable[str]] = {
        "some with a zone": ("2024-01-01T00:00Z", "2024-01-02T00:00", "2024-01-03T00:00Z", "2024-01-04T00:00"),
        "no frequency": (
            "2024-01-01 00:00",
            "2024-01-01 00:07",
            "2024-01-01 01:31",
            "2024-01-02 17:03",
            "2024-01-05 09:44",
        ),
        "one row": ("2024-01-01",),
        "one time again and again": ("2024-01-01",) * 5,
        "a wrong year": (*DAYS, "9024-01-13"),
        "numbers with a point": ("1.5", "2.5", "3.5", "4.5"),
        "numbers beyond 64 bits": ("1", "2", "99999999999999999999"),
        "a gap of a trillion steps": ("1", "2", "3", "1000000000000"),
    }
    found |= {f"times: {name}": ("data.csv", of_times(given), ()) for name, given in several.items()}
    again = rows(("2024-01-01,1", "2024-01-02,2", "2024-01-02,3", "2024-01-03,4"))
    return found | {
        "times: two values at one": ("data.csv", again, ()),
        "times: an hour that does not exist in the zone": (
            "data.csv",
            of_times(f"2024-03-31 0{hour}:00" for hour in range(5)),
            ("--zone", "Europe/Berlin"),
        ),
        "times: a zone that does not exist": ("data.csv", GOOD, ("--zone", "Europe/Atlantis")),
        "times: a zone that is a path": ("data.csv", GOOD, ("--zone", "../../../etc/passwd")),
        "times: a format that does not fit": ("data.csv", GOOD, ("--time-format", "%d.%m.%Y")),
        "times: a format of nonsense": ("data.csv", GOOD, ("--time-format", "%Q%Q")),
        "times: before any row": ("data.csv", GOOD, ("--as-of", "1999-01-01")),
        "times: as of nonsense": ("data.csv", GOOD, ("--as-of", "noon")),
    }


MAKERS: tuple[Callable[[], Cases], ...] = (structure, values, ids, times)
