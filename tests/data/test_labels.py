"""Labelled tables as users have them become sequences with labels and channels, or one clear refusal with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rnncli.data.labels.known import known_labels, time_calendar
from rnncli.data.labels.load import load_labels
from rnncli.data.load import Loaded
from rnncli.data.writers.table import time_texts
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, LabelChoices

Write = Callable[..., Path]

WALKS = (
    "person,t,x,y,gait,walk\n"
    "ann,1,0.5,2,walk,007\nann,0,0.25,1,walk,007\nann,2,0.75,3,walk,007\n"
    "bob,0,1.5,9,run,010\nbob,1,1.25,8,run,010\n"
)
GAIT = LabelChoices(label="gait")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return written


def labels_of(loaded: Loaded) -> list[str | None]:
    """The class of each sequence."""
    panel = loaded.panel
    found = panel.targets[panel.offsets[:-1]]
    return [None if np.isnan(code) else panel.channels[0].vocabulary[int(code)] for code in found]


def test_rows_become_sequences_in_the_order_of_time(write: Write) -> None:
    loaded = load_labels(write(WALKS), ColumnChoices(id=("person",)), GAIT)
    panel = loaded.panel
    assert (panel.ids, panel.lengths.tolist()) == (("ann", "bob"), [3, 2])
    assert [(c.name, c.kind, c.role, c.vocabulary) for c in panel.channels] == [
        ("gait", "category", "label", ("run", "walk")),
        ("x", "number", "input", ()),
        ("y", "number", "input", ()),
        ("walk", "category", "input", ("007", "010")),
    ]
    assert panel.of("x").tolist() == [0.25, 0.5, 0.75, 1.5, 1.25]
    assert panel.targets.tolist() == [1, 1, 1, 0, 0]
    assert loaded.times is not None
    assert loaded.times.tolist() == [0, 1, 2, 0, 1]
    assert (panel.calendar.frequency.unit, panel.starts.tolist(), panel.phases.tolist()) == ("step", [0, 0], [0, 0])
    assert "label 'gait': 2 classes (run, walk), one a sequence" in loaded.notes
    assert "rows were not in the order of time and were sorted (the first: series 'ann')" in loaded.notes


def test_a_column_that_groups_rows_with_one_label_is_the_id(write: Write) -> None:
    loaded = load_labels(write(WALKS.replace("person", "who")), None, GAIT)
    assert loaded.columns.id == "who"


def test_the_sequences_of_a_folder_are_its_files(write: Write, tmp_path: Path) -> None:
    for name, label in (("a", "up"), ("b", "down")):
        write(f"v,dir\n1,{label}\n4,{label}\n5,{label}\n", f"walks/{name}.csv")
    loaded = load_labels(tmp_path / "walks", None, LabelChoices(label="dir"))
    assert (loaded.panel.ids, loaded.columns.by_file, labels_of(loaded)) == (("a", "b"), True, ["up", "down"])


def test_without_a_time_rows_are_in_order(write: Write) -> None:
    loaded = load_labels(write("id,v,l\na,3,u\na,1,u\nb,9,d\nb,2,d\n"), None, LabelChoices(label="l"))
    assert loaded.panel.of("v").tolist() == [3, 1, 9, 2]
    assert loaded.times is None
    assert loaded.columns.times == ()
    assert "no column is the time: rows are in order" in loaded.notes


def test_a_column_that_counts_up_in_each_sequence_is_the_time(write: Write) -> None:
    rows = "".join(f"s{r // 2},{r},{r % 2 + 5},{r * r % 7},{r // 2 % 2}\n" for r in range(24))
    loaded = load_labels(write("id,row,frame,v,l\n" + rows), None, LabelChoices(label="l"))
    assert loaded.columns.times == ("frame",)
    assert loaded.panel.channel_names == ("l", "v")
    assert any("'row' passed over: it numbers the rows" in note for note in loaded.notes)


def test_two_columns_of_dates_are_no_reason_to_refuse_unless_strict(write: Write) -> None:
    path = write("id,a,b,v,l\n" + "".join(f"{s},2024-01-0{d},2023-01-0{d},{d * d},{s}\n" for s in "xy" for d in (1, 2)))
    loaded = load_labels(path, None, LabelChoices(label="l"))
    assert loaded.times is None
    assert loaded.panel.channel_names == ("l", "v")
    assert any("which of 'a', 'b' is the time is not said" in note for note in loaded.notes)
    with pytest.raises(InputRefused, match="more than one column could be the time: a, b"):
        load_labels(path, ColumnChoices(strict=True, id=("id",)), LabelChoices(label="l"))


@pytest.mark.parametrize(
    ("values", "vocabulary"),
    [
        (pa.array([1, 1, 2, 2], pa.int8()), ("1", "2")),
        (pa.array([10, 10, 9, 9], pa.int64()), ("9", "10")),
        (pa.array([1.0, 1.0, 0.0, 0.0], pa.float32()), ("0", "1")),
        (pa.array(["10", "10", "9", "9"]), ("9", "10")),
        (pa.array(["b", "b", "a", "a"]).dictionary_encode(), ("a", "b")),
        (pa.array([True, True, False, False]), ("false", "true")),
        (pa.array(["007", "007", "7", "7"]), ("007", "7")),
    ],
)
def test_texts_booleans_and_few_whole_numbers_are_classes(values: pa.Array, vocabulary: tuple[str, ...]) -> None:
    table = pa.table({"unique_id": ["a", "a", "b", "b"], "v": [1.0, 2.5, 3.0, 4.0], "l": values})
    assert load_labels(table, None, LabelChoices(label="l")).panel.channels[0].vocabulary == vocabulary


@pytest.mark.parametrize("labels", [np.arange(60), np.arange(60) / 8])
def test_many_whole_numbers_and_fractions_are_numbers(labels: np.ndarray) -> None:
    table = pd.DataFrame({"unique_id": np.repeat(np.arange(60), 2), "v": np.arange(120) % 7, "l": np.repeat(labels, 2)})
    loaded = load_labels(table, None, LabelChoices(label="l"))
    assert loaded.panel.channels[0].kind == "number"
    assert loaded.panel.targets[::2].tolist() == labels.tolist()
    assert "label 'l': numbers, one a sequence" in loaded.notes
    forced = load_labels(table, None, LabelChoices(label="l", label_kind="class"))
    assert len(forced.panel.channels[0].vocabulary) == 60


def test_few_whole_numbers_are_numbers_where_that_is_said_and_texts_never(write: Write) -> None:
    numbers = LabelChoices(label="l", label_kind="number")
    loaded = load_labels(write("id,v,l\na,1,3\na,5,3\nb,3,5\nb,4,5\n"), None, numbers)
    assert loaded.panel.targets.tolist() == [3, 3, 5, 5]
    with pytest.raises(InputRefused, match=r"data.csv:4:3: 'x' in column 'l' is not a number"):
        load_labels(write("id,v,l\na,1,3\na,2,3\nb,3,x\nb,4,5\n"), ColumnChoices(id=("id",)), numbers)
    table = pa.table({"unique_id": ["a", "a", "b"], "v": [1, 2, 4], "l": ["1.5", "1.5", "high"]})
    with pytest.raises(InputRefused, match="the label 'high' in column 'l' is not a number"):
        load_labels(table, None, numbers)


def test_a_label_that_changes_names_both_and_their_places(write: Write) -> None:
    path = write("id,v,l\na,1,u\na,5,u\nb,3,d\nb,4,u\n")
    with pytest.raises(SeriesRefused) as refused:
        load_labels(path, ColumnChoices(id=("id",)), LabelChoices(label="l"))
    assert refused.value.message == f"label 'l' of sequence 'b' changes, from 'd' ({path}:4) to 'u'"
    assert (refused.value.series, refused.value.where) == ("b", f"{path}:5")
    assert "--per-step" in refused.value.hint
    left = load_labels(
        write("id,v,l\na,1,u\na,5,u\nb,3,d\nb,4,u\nc,1,d\nc,2,d\n"),
        ColumnChoices(id=("id",), on_bad_series="skip"),
        LabelChoices(label="l"),
    )
    assert (left.panel.ids, [error.series for error in left.skipped]) == (("a", "c"), ["b"])


def test_empty_labels_are_taken_from_the_sequence_or_are_none(write: Write) -> None:
    loaded = load_labels(write("id,v,l\na,1,\na,5,u\nb,3,d\nb,4,\nc,1,\nc,5,\n"), None, LabelChoices(label="l"))
    assert labels_of(loaded) == ["u", "d", None]
    assert loaded.panel.targets.tolist()[:4] == [1, 1, 0, 0]
    assert "1 sequence has no label: not scored" in loaded.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,v,l\na,1,u\na,5,u\nb,3,u\n", "all labels are 'u'"),
        ("id,v,l\na,1,\na,5,\n", "column 'l' has no value"),
        ("v,l\n1,u\n2,d\n3,u\n", "nothing tells the sequences apart"),
        ("id,w,l\na,1,u\na,1,u\nb,1,d\n", "no channel is left"),
        ("id,t,v,l\na,1,2,u\na,1,3,u\nb,1,4,d\n", "two different rows at 1 (2.0 and 3.0)"),
        ("id,t,v,l\na,1,2,u\na,2,inf,u\nb,1,4,d\n", "infinite"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputRefused) as refused:
        load_labels(write(text), ColumnChoices(id=("id",) if text.startswith("id") else ()), LabelChoices(label="l"))
    assert message in refused.value.message
    assert "data.csv" in refused.value.where


def test_a_row_that_is_no_sequence_has_a_hint(write: Write) -> None:
    with pytest.raises(InputRefused) as refused:
        load_labels(write("v,l\n1,u\n2,d\n3,u\n"), None, LabelChoices(label="l"))
    assert all(flag in refused.value.hint for flag in ("--id", "--row-per-sequence", "--per-step"))


def test_what_is_said_of_forecasts_is_refused(write: Write) -> None:
    path = write(WALKS)
    for choices in (ColumnChoices(target=("x",)), ColumnChoices(past=("x",)), ColumnChoices(wide=True)):
        with pytest.raises(UsageError, match="is for forecasts"):
            load_labels(path, choices, GAIT)
    with pytest.raises(UsageError, match="two roles"):
        load_labels(path, ColumnChoices(id=("gait",)), GAIT)
    with pytest.raises(InputRefused, match="there is no column 'gaitt'") as refused:
        load_labels(path, None, LabelChoices(label="gaitt"))
    assert "did you mean 'gait'?" in refused.value.hint


def test_a_label_for_each_step_needs_no_id_and_keeps_its_times(write: Write) -> None:
    text = "when,flow,state\n02.01.2024 06:00,1.5,on\n01.01.2024 06:00,2.5,off\n03.01.2024 06:00,0.5,\n"
    loaded = load_labels(write(text), None, LabelChoices(label="state", per_step=True))
    assert loaded.panel.ids == ("state",)
    codes = loaded.panel.targets
    assert codes[:2].tolist() == [0, 1]
    assert np.isnan(codes[2])
    assert loaded.times is not None
    written = time_texts(loaded.times, loaded.columns, time_calendar(loaded.columns, loaded.panel.calendar.zone))
    assert written == ["01.01.2024 06:00", "02.01.2024 06:00", "03.01.2024 06:00"]


def test_times_keep_their_zone(write: Write) -> None:
    text = "ds,v,l\n2024-10-27 02:30,1,a\n2024-10-27 02:30,2,b\n2024-10-27 03:30,3,a\n"
    loaded = load_labels(write(text), ColumnChoices(zone="Europe/Berlin"), LabelChoices(label="l", per_step=True))
    assert loaded.times is not None
    assert np.diff(loaded.times).tolist() == [3_600_000_000] * 2
    written = time_texts(loaded.times, loaded.columns, time_calendar(loaded.columns, loaded.panel.calendar.zone))
    assert written == ["2024-10-27 02:30+02:00", "2024-10-27 02:30+01:00", "2024-10-27 03:30"]


def test_channels_are_numbers_flags_and_categories() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(40), 5),
            "x": rng.random(200).astype(np.float32),
            "on": rng.random(200) > 0.5,
            "sky": pd.Categorical(rng.choice(["sun", "rain"], 200)),
            "word": [f"w{i % 150}" for i in range(200)],
            "note": [f"text {i}" for i in range(200)],
            "name": np.repeat([f"n{i}" for i in range(40)], 5),
            "same": 3,
            "none": np.nan,
            "seen": pd.date_range("2024-01-01", periods=200),
            "made": pd.date_range("2020-01-01", periods=200),
            "l": np.repeat(np.arange(40) % 2, 5),
        }
    )
    loaded = load_labels(table, ColumnChoices(time="seen"), LabelChoices(label="l"))
    kinds = {channel.name: (channel.kind, len(channel.vocabulary)) for channel in loaded.panel.channels[1:]}
    assert kinds == {"x": ("number", 0), "on": ("number", 0), "sky": ("category", 2), "word": ("category", 150)}
    passed = " ".join(note for note in loaded.notes if "passed over" in note)
    assert all(repr(name) in passed for name in ("note", "name", "same", "none", "made"))
    named = load_labels(table, ColumnChoices(time="seen"), LabelChoices(label="l", channels=("note", "x")))
    assert named.panel.channel_names == ("l", "note", "x")


def test_times_in_fractions_are_no_channel(write: Write) -> None:
    rows = "".join(f"{s},{t / 10},{t * t},{'ud'[s]}\n" for s in (0, 1) for t in range(5))
    loaded = load_labels(write("id,time,v,l\n" + rows), None, LabelChoices(label="l"))
    assert loaded.panel.channel_names == ("l", "v")
    assert any("'time' passed over: times that are no whole numbers" in note for note in loaded.notes)


def test_sequences_that_are_chosen_keep_their_rows_times_and_groups(write: Write) -> None:
    text = "id,t,site,x,l\na,3,n,1,u\na,5,n,2,u\nb,4,s,3,v\nc,1,s,4,u\nc,2,s,5,u\nc,9,s,6,u\n"
    loaded = load_labels(write(text), ColumnChoices(id=("id",)), LabelChoices(label="l", group="site"))
    chosen = loaded.select(np.array([2, 0]))
    assert chosen.panel.ids == ("c", "a")
    assert chosen.panel.of("x").tolist() == [4, 5, 6, 1, 2]
    assert chosen.times is not None
    assert chosen.times.tolist() == [1, 2, 9, 3, 5]
    assert chosen.groups == ("s", "n")


def test_groups_are_of_whole_sequences(write: Write) -> None:
    choices = LabelChoices(label="l", group="site")
    loaded = load_labels(write("id,site,v,l\na,n,1,u\na,n,5,u\nb,s,3,d\nb,s,4,d\n"), None, choices)
    assert loaded.groups == ("n", "s")
    assert loaded.panel.channel_names == ("l", "v")
    with pytest.raises(SeriesRefused, match="sequence 'b' is of two groups, 's' and 'n'"):
        load_labels(write("id,site,v,l\na,n,1,u\na,n,5,u\nb,s,3,d\nb,n,4,d\n"), ColumnChoices(id=("id",)), choices)


def test_a_model_knows_its_columns_and_needs_no_label(write: Write) -> None:
    train = load_labels(write(WALKS), ColumnChoices(id=("person",)), GAIT)
    known = known_labels(train, GAIT)
    assert type(known.choices).from_json(known.choices.to_json()) == known.choices
    bare = load_labels(write("y,walk,x,t,more,person\n1,007,2,0,9,cat\n2,xx,3,1,9,cat\n"), None, None, known)
    assert bare.panel.channels == train.panel.channels
    assert bare.panel.series(0)[:, 1:].tolist() == [[2, 1, 0], [3, 2, -1]]
    assert np.isnan(bare.panel.targets).all()
    assert bare.notes == (
        "column 'walk' has categories that training did not have: 'xx' (1 series); they count as the average one",
    )
    fresh = WALKS.replace("walk,007", "hop,007")
    odd = load_labels(write(fresh), None, None, known)
    assert labels_of(odd) == [None, "run"]
    assert "label 'gait' has classes that training did not have: 'hop' (1 sequence); they are not scored" in odd.notes
    assert not any("no label" in note for note in odd.notes)
    with pytest.raises(InputRefused, match="there is no column 'y'"):
        load_labels(write("person,t,x,walk\ncat,0,1,007\n"), None, None, known)


UCR = "2\t0.5\t1.25\t-1\n1\t0.25\t3\tNaN\n2\t-0.5\t1\t2.5\n"


def test_each_row_may_be_a_sequence_without_a_header(write: Write) -> None:
    path = write(UCR, "Gun_TRAIN.tsv")
    choices = LabelChoices(label="1", row_per_sequence=True)
    loaded = load_labels(path, None, choices)
    assert (loaded.panel.ids, loaded.panel.lengths.tolist()) == (("1", "2", "3"), [3, 2, 3])
    assert loaded.panel.of("value").tolist() == [0.5, 1.25, -1, 0.25, 3, -0.5, 1, 2.5]
    assert labels_of(loaded) == ["2", "1", "2"]
    assert "the first line is a row, so columns are numbered; the label is column 1" in loaded.notes
    again = load_labels(path, None, None, known_labels(loaded, choices))
    assert again.panel.values.tobytes() == loaded.panel.values.tobytes()
    unlabelled = "".join(line.partition("\t")[2] for line in UCR.splitlines(keepends=True))
    bare = load_labels(write(unlabelled, "Gun_TEST.tsv"), None, None, known_labels(loaded, choices))
    assert bare.panel.of("value").tolist() == loaded.panel.of("value").tolist()
    assert np.isnan(bare.panel.targets).all()
    other = write(UCR.replace("\t3\t", "\t3\t1\t").splitlines()[1] + "\n", "Gun_TEST.tsv")
    with pytest.raises(InputRefused, match="5 columns without a header, and training had 4"):
        load_labels(other, None, None, known_labels(loaded, choices))
    with pytest.raises(InputRefused, match=r"_TRAIN.tsv:8:3: 'x' in column '3' is not a number"):
        load_labels(write(UCR * 2 + UCR.replace("\t3\t", "\tx\t"), "Gun_TRAIN.tsv"), None, choices)


def test_a_time_without_a_name_is_the_time(write: Write) -> None:
    table = ",id,x,y\n2024-01-02,a,2,up\n2024-01-01,a,1,up\n2024-01-01,b,3,down\n2024-01-02,b,4,down\n"
    loaded = load_labels(write(table), None, LabelChoices(label="y"))
    assert (loaded.columns.times, loaded.panel.of("x").tolist()) == (("",), [1, 2, 3, 4])


def test_ids_behind_labels_that_are_left_out_are_still_ids(write: Write) -> None:
    choices = LabelChoices(label="2", row_per_sequence=True, group="4")
    loaded = load_labels(write("1.5,2,7,8,0.5\n2.5,1,9,8,1.5\n"), ColumnChoices(id=("3",)), choices)
    known = known_labels(loaded, choices)
    bare = load_labels(write("1.5,7,8,0.5\n2.5,9,6,1.5\n"), None, None, known)
    assert (bare.panel.ids, bare.groups) == (("7", "9"), ("8", "6"))
    assert bare.panel.of("value").tolist() == loaded.panel.of("value").tolist()


def test_each_row_may_be_a_sequence_with_names(write: Write) -> None:
    path = write("case,dim0_0,dim0_1,site,kind\nx7,1,2,n,up\nx9,3,,n,down\n")
    loaded = load_labels(
        path, ColumnChoices(id=("case",)), LabelChoices(label="kind", row_per_sequence=True, group="site")
    )
    assert (loaded.panel.ids, loaded.panel.lengths.tolist()) == (("x7", "x9"), [2, 1])
    assert (loaded.groups, labels_of(loaded)) == (("n", "n"), ["up", "down"])
    counted = write("label,0,1,2\nup,1,2,3\ndown,2,3,5\n")  # a header of column numbers is no row
    assert load_labels(counted, None, LabelChoices(label="label", row_per_sequence=True)).panel.lengths.tolist() == [
        3,
        3,
    ]
    table = pa.table({"unique_id": [31, 12], "v0": [1.5, 2.5], "v1": [3.5, None], "label": [0, 1]})
    known = load_labels(table, None, LabelChoices(label="label", row_per_sequence=True))
    assert (known.panel.ids, known.panel.lengths.tolist()) == (("31", "12"), [2, 1])
    with pytest.raises(InputRefused, match="comes twice"):
        load_labels(
            write("case,a,b,kind\nx,1,2,up\nx,3,4,down\n"),
            ColumnChoices(id=("case",)),
            LabelChoices(label="kind", row_per_sequence=True),
        )


def test_csv_parquet_and_frames_are_the_same_panel(write: Write, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(4), 3),
            "t": np.tile(np.arange(3, dtype=np.int8), 4),
            "x": np.arange(12, dtype=np.float32) / 4,
            "label": np.repeat([1, 0, 1, 0], 3).astype(np.int8),
        }
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    parquet.write_table(pa.table(frame), tmp_path / "d.parquet")
    choices = LabelChoices(label="label")
    one, *others = (load_labels(form, None, choices) for form in (frame, tmp_path / "d.csv", tmp_path / "d.parquet"))
    for other in others:
        assert other.panel.values.tobytes() == one.panel.values.tobytes()
        assert (other.panel.ids, other.panel.channels, other.notes) == (one.panel.ids, one.panel.channels, one.notes)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter_where_there_is_a_time(order: list[int]) -> None:
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(list("abc"), 4),
            "t": np.tile(np.arange(4), 3),
            "x": np.arange(12) ** 2,
            "l": [0] * 4 + [1] * 8,
        }
    )
    panel = load_labels(frame, None, LabelChoices(label="l")).panel
    mixed = load_labels(frame.iloc[order], None, LabelChoices(label="l")).panel
    for s, name in enumerate(panel.ids):
        np.testing.assert_array_equal(mixed.series(mixed.ids.index(name)), panel.series(s))


@pytest.mark.parametrize(
    ("texts", "classes"),
    [
        (("9007199254740993", "9007199254740992"), ("9007199254740992", "9007199254740993")),
        (("5%", "50%"), ("5%", "50%")),
        (("$7", "$12"), ("$12", "$7")),
        (("1.0", "2"), ("1", "2")),
    ],
)
@pytest.mark.parametrize("by_row", [False, True])
def test_classes_that_are_whole_numbers_are_called_as_they_are_written_and_known_again(
    tmp_path: Path, texts: tuple[str, str], classes: tuple[str, ...], by_row: bool
) -> None:
    path, choices = tmp_path / "t.csv", LabelChoices(label="label", row_per_sequence=by_row)
    rows = [f"s{one},{step},{one}.5,{texts[one % 2]}" for one in range(4) for step in range(2)]
    path.write_text("\n".join(["id,step,x,label", *rows, ""]))
    loaded = load_labels(str(path), labels=choices)
    assert loaded.panel.channels[0].vocabulary == classes
    again = load_labels(str(path), known=known_labels(loaded, choices))
    np.testing.assert_array_equal(again.panel.targets, loaded.panel.targets)
    assert not np.isnan(again.panel.targets).any()
