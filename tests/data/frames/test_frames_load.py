"""Frames from every form that they come in are the same frames; what is none gets one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import csv, parquet

from rnncli.data.frames.files import holds_frames
from rnncli.data.frames.known import known_frames
from rnncli.data.frames.load import frame_choices, load_frames
from rnncli.data.load import Loaded
from rnncli.errors import InputRefused, MissingDependency, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, FrameChoices

Frames = NDArray[Any]
SIZE = (5, 4)


@pytest.fixture(scope="module")
def frames() -> Frames:
    """Three sequences of six frames [3, 6, 5, 4]."""
    return np.random.default_rng(0).integers(0, 255, (3, 6, *SIZE)).astype(np.uint8)


def table(frames: Frames, form: str) -> pa.Table:
    """The frames as a table, a row each."""
    flat = frames.reshape(-1, *SIZE)
    ids = {"id": pa.array([f"s{place // 6}" for place in range(len(flat))])}
    if form == "pixels":
        names = [f"p{place}" for place in range(20)][::-1]  # not in the order of their numbers
        return pa.table(ids | {name: flat.reshape(len(flat), -1)[:, int(name[1:])].astype(int) for name in names})
    types = {
        "fixed": (pa.binary(20), [frame.tobytes() for frame in flat]),
        "binary": (pa.binary(), [frame.tobytes() for frame in flat]),
        "large": (pa.large_binary(), [frame.tobytes() for frame in flat]),
        "view": (pa.binary_view(), [frame.tobytes() for frame in flat]),
        "list": (pa.list_(pa.uint8()), [frame.ravel().tolist() for frame in flat]),
        "fixed list": (pa.list_(pa.uint8(), 20), [frame.ravel().tolist() for frame in flat]),
        "rows": (pa.list_(pa.list_(pa.int16())), [frame.tolist() for frame in flat]),
        "large rows": (pa.large_list(pa.list_(pa.float32(), 4)), [frame.tolist() for frame in flat]),
        "channels": (pa.list_(pa.list_(pa.list_(pa.uint8()))), [frame[..., None].tolist() for frame in flat]),
    }
    kind, cells = types[form]
    return pa.table(ids | {"frame": pa.array(cells, kind)})


FORMS = ("fixed", "binary", "large", "view", "list", "fixed list", "rows", "large rows", "channels", "pixels")


def said(form: str) -> FrameChoices:
    nested = form in ("rows", "large rows", "channels")
    return FrameChoices("p*" if form == "pixels" else "frame", None if nested else "5x4")


def all_frames(loaded: Loaded) -> Frames:
    panel = loaded.panel
    steps = int(panel.lengths.max())
    return panel.frames(np.arange(len(panel)), np.zeros(len(panel), np.int64), steps)[..., 0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["table", "file"])
def test_every_form_of_a_column_gives_the_same_frames(form: str, kind: str, frames: Frames, tmp_path: Path) -> None:
    data: Any = table(frames, form)
    if kind == "file" and form != "view":  # Parquet has no views
        parquet.write_table(data, tmp_path / "a.parquet", row_group_size=7)
        data = str(tmp_path / "a.parquet")
    loaded = load_frames(data, None, said(form))
    assert loaded.panel.ids == ("s0", "s1", "s2")
    assert loaded.panel.channels[0].shape == (5, 4, 1)
    np.testing.assert_array_equal(all_frames(loaded), frames)


def test_pixels_in_a_csv_file_are_columns_in_the_order_of_their_numbers(frames: Frames, tmp_path: Path) -> None:
    csv.write_csv(table(frames, "pixels"), tmp_path / "a.csv")
    for pattern in ("p*", "p", "p[0-9]*"):
        loaded = load_frames(str(tmp_path / "a.csv"), None, FrameChoices(pattern, "5x4", "uint8"))
        assert loaded.panel.blocks[pattern].dtype == np.uint8
        np.testing.assert_array_equal(all_frames(loaded), frames)


def test_each_file_of_numpy_is_a_sequence(frames: Frames, tmp_path: Path) -> None:
    for place, clip in enumerate(frames):
        np.save(tmp_path / f"clip{place}.npy", np.asfortranarray(clip) if place else clip)
    loaded = load_frames(str(tmp_path))
    assert loaded.panel.ids == ("clip0", "clip1", "clip2")
    np.testing.assert_array_equal(all_frames(loaded), frames)
    np.testing.assert_array_equal(all_frames(load_frames(str(tmp_path / "clip*.npy"))), frames)


def test_arrays_of_numpy_are_frames_as_they_are(frames: Frames) -> None:
    loaded = load_frames(frames[..., None])
    assert loaded.panel.ids == ("array/0", "array/1", "array/2")
    np.testing.assert_array_equal(all_frames(loaded), frames)
    assert load_frames(list(frames)).panel.ids == ("array", "array1", "array2")
    assert not holds_frames(frames[0, 0])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("columns_first", [False, True])
def test_an_array_of_an_archive_is_unpacked(packed: bool, columns_first: bool, frames: Frames, tmp_path: Path) -> None:
    whole = frames[..., None]
    save = np.savez_compressed if packed else np.savez
    save(tmp_path / "a.npz", x=np.asfortranarray(whole) if columns_first else whole, t=np.arange(3))
    loaded = load_frames(str(tmp_path / "a.npz"))
    assert loaded.panel.ids == ("a/0", "a/1", "a/2")
    np.testing.assert_array_equal(all_frames(loaded), frames)


def test_four_axes_are_told_by_the_grid(frames: Frames, tmp_path: Path) -> None:
    path = str(tmp_path / "a.npy")
    np.save(path, np.repeat(frames, 2, axis=3)[..., :7])  # [3, 6, 5, 7]
    with pytest.raises(InputRefused, match="can be 3 frames, or 3 sequences of 6"):
        load_frames(path)
    assert load_frames(path, None, FrameChoices(grid="5x7")).panel.lengths.tolist() == [6, 6, 6]
    channels = load_frames(path, None, FrameChoices(grid="6x5x7")).panel
    assert (channels.lengths.tolist(), channels.channels[0].shape) == ([3], (6, 5, 7))


def test_pictures_of_a_folder_are_in_the_order_of_their_numbers(frames: Frames, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for clip in range(2):
        (tmp_path / f"clip {clip}").mkdir()
        for place in range(12):  # 10 comes after 9
            image.fromarray(frames[clip, place % 6]).save(tmp_path / f"clip {clip}" / f"{place}.png")
    loaded = load_frames(str(tmp_path))
    assert loaded.panel.ids == ("clip 0", "clip 1")
    np.testing.assert_array_equal(all_frames(loaded), np.concatenate([frames, frames], axis=1)[:2])
    assert load_frames(str(tmp_path / "clip 1")).panel.ids == ("clip 1",)


def test_pictures_in_colours_and_of_sixteen_bits_are_read(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name, stored in {"rgb": np.ones((4, 6, 3), np.uint8), "deep": np.full((4, 6), 60_000, np.uint16)}.items():
        (tmp_path / name).mkdir()
        image.fromarray(stored).save(tmp_path / name / "0.png")
        panel = load_frames(str(tmp_path / name)).panel
        assert panel.channels[0].shape == (4, 6, stored.shape[-1] if stored.ndim == 3 else 1)
        assert panel.frames(np.array([0]), np.array([0]), 1).max() == stored.max()


def test_without_pillow_pictures_name_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0.png").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingDependency) as refused:
        load_frames(str(tmp_path))
    assert refused.value.hint == "pip install 'rnncli[frames]'"


def test_netcdf_is_a_variable_over_time_and_space(frames: Frames, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    values = frames[0].astype(np.float32)
    values[2, 1, 1] = np.nan
    dims = ("time", "latitude", "longitude")
    xarray.Dataset({"rain": (dims, values), "mask": (dims[1:], values[0])}).to_netcdf(
        tmp_path / "a.nc", engine="h5netcdf"
    )
    loaded = load_frames(str(tmp_path / "a.nc"), None, FrameChoices(frame_missing="nan"))
    np.testing.assert_array_equal(all_frames(loaded)[0], values)


def test_rows_are_sorted_by_time_and_a_frame_that_is_not_there_is_missing(frames: Frames) -> None:
    data = table(frames[:1], "fixed").append_column("ds", pa.array([5, 0, 1, 2, 8, 4], pa.int64()))
    loaded = load_frames(data, None, said("fixed"))
    assert loaded.times is not None
    assert loaded.times.tolist() == list(range(9))
    found = all_frames(loaded)[0]
    np.testing.assert_array_equal(found[[0, 1, 2, 4, 5, 8]], frames[0][[1, 2, 3, 5, 0, 4]])
    assert np.isnan(found[[3, 6, 7]]).all()
    assert "3 frames are missing between others, by their times" in loaded.notes


def test_a_null_is_a_missing_frame(frames: Frames) -> None:
    cells = [frame.tobytes() for frame in frames[0]]
    cells[3] = None
    loaded = load_frames(pa.table({"frame": pa.array(cells, pa.binary())}), None, said("fixed"))
    found = all_frames(loaded)[0]
    assert np.isnan(found[3]).all()
    np.testing.assert_array_equal(found[[0, 5]], frames[0][[0, 5]])


def test_a_panel_of_frames_is_cut_and_selected_as_any_other(frames: Frames) -> None:
    panel = load_frames(table(frames, "fixed"), None, said("fixed")).panel
    some = panel.select(np.array([2, 0])).cut(np.array([2, 6]))
    assert some.ids == ("s2", "s0")
    found = some.frames(np.array([0, 1]), np.array([1, -1]), 2)[..., 0]
    np.testing.assert_array_equal(found[0, 0], frames[2, 1])
    assert np.isnan(found[0, 1]).all()  # behind what was cut
    assert np.isnan(found[1, 0]).all()  # before the first
    np.testing.assert_array_equal(found[1, 1], frames[0, 0])


def test_frames_of_a_model_are_read_as_it_was_trained(frames: Frames, tmp_path: Path) -> None:
    known = known_frames(load_frames(table(frames, "fixed"), None, said("fixed")))
    again = load_frames(table(frames[1:], "fixed"), None, None, known)
    np.testing.assert_array_equal(all_frames(again), frames[1:])
    np.save(tmp_path / "a.npy", frames[0])
    np.testing.assert_array_equal(all_frames(load_frames(str(tmp_path / "a.npy"), None, None, known))[0], frames[0])
    np.save(tmp_path / "b.npy", frames[0, :, :4])
    with pytest.raises(InputRefused, match="frames are of 4x4, and a grid of 5x4 is said"):
        load_frames(str(tmp_path / "b.npy"), None, None, known)


REFUSED = {
    "bytes of another size": (
        pa.table({"frame": pa.array([b"a" * 20, b"b" * 20, b"c" * 19])}),
        FrameChoices("frame", "5x4"),
        "frames differ in size: row 3 has 19, the first one 20 bytes",
        "give frames of one size at a time",
    ),
    "lists of another size": (
        pa.table({"frame": [[1, 2, 3, 4], [1, 2]]}),
        FrameChoices("frame", "2x2"),
        "frames differ in size: row 2 has 2, the first one 4 numbers",
        "give frames of one size at a time",
    ),
    "a grid that does not fit": (
        pa.table({"frame": pa.array([bytes(2304)])}),
        FrameChoices("frame", "48x47"),
        "a grid of 48x47 has 2,256 bytes, and frames have 2,304",
        "which of these is it: --grid 48x48 or 24x32x3 or 24x24x4?",
    ),
    "no grid": (
        pa.table({"frame": pa.array([bytes(12)])}),
        FrameChoices("frame"),
        "frames have 12 bytes each, and no grid is said",
        "which of these is it: --grid 3x4 or 2x2x3?",
    ),
    "two bytes a pixel": (
        pa.table({"frame": pa.array([bytes(40)])}),
        FrameChoices("frame", "5x4"),
        "a frame has 2 bytes a pixel, which say nothing of themselves",
        "say what they are: --frame-dtype uint16, int16 or float16",
    ),
    "half a pixel": (
        pa.table({"frame": pa.array([bytes(41)])}),
        FrameChoices("frame", "5x4", "uint16"),
        "a frame has 41 bytes, which are no whole number of uint16",
        "say what they are: --frame-dtype",
    ),
    "numbers in place of frames": (
        pa.table({"frame": [1.0, 2.0]}),
        FrameChoices("frame", "1x1"),
        "column 'frame' holds values of type double, which are no frames",
        "a frame is bytes, a list of numbers, or columns of pixels: --frame 'p*'",
    ),
    "pictures in cells": (
        pa.table({"frame": pa.array([b"\x89PNG\r\n\x1a\n" + bytes(12)])}),
        FrameChoices("frame", "5x4"),
        "the cells of column 'frame' are PNG files, not pixels",
        "write them as files, a folder of PNG for each sequence",
    ),
    "a pixel that is null": (
        pa.table({"frame": pa.array([[1.0, None]])}),
        FrameChoices("frame", "1x2"),
        "a frame in column 'frame' has pixels that are null",
        "write a number in their place, and say it: --frame-missing",
    ),
    "a pixel that is no number": (
        pa.table({"frame": pa.array([[1.0, 2.0], [1.0, np.nan]])}),
        FrameChoices("frame", "1x2"),
        "pixel (0, 1) of frame 2 is not a number",
        "where that means missing, say so: --frame-missing nan",
    ),
    "an infinite pixel": (
        pa.table({"frame": pa.array([[np.inf, 2.0]])}),
        FrameChoices("frame", "1x2", frame_missing="nan"),
        "pixel (0, 0) of frame 1 is inf, infinite or too large to compute with",
        "if that means missing: --frame-missing; if bytes are in another order: --frame-dtype",
    ),
    "nothing but nulls": (
        pa.table({"frame": pa.array([None, None], pa.binary())}),
        FrameChoices("frame", "1x2"),
        "there is no frame in column 'frame'",
        "name another: --frame",
    ),
    "no column": (
        pa.table({"frames": pa.array([b"ab"])}),
        FrameChoices("frame", "1x2"),
        "there is no column 'frame'",
        "did you mean 'frames'? the columns are frames",
    ),
    "pixels that a type cannot hold": (
        pa.table({"p0": [1, 300], "p1": [1, 2]}),
        FrameChoices("p", "1x2", "uint8"),
        "the pixel in column 'p0' of row 2 is 300, which uint8 cannot hold",
        "leave --frame-dtype out, or say another",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_frame_gets_one_clear_error(case: str) -> None:
    data, choices, message, hint = REFUSED[case]
    with pytest.raises(InputRefused) as refused:
        load_frames(data, None, choices)
    assert refused.value.message == message
    assert refused.value.hint.startswith(hint)


def smooth(kind: str) -> Frames:
    """Frames as photographs are: neighbours are alike [4, 16, 16]."""
    walk = np.cumsum(np.random.default_rng(0).normal(size=(4, 16, 16)), axis=2)
    share = (walk - walk.min()) / (walk.max() - walk.min())
    return np.asarray((share * {"u2": 60_000, "i2": 30_000, "f2": 1, "f4": 1}[kind[1:]]).astype(kind))


@pytest.mark.parametrize(("code", "name"), [("u2", "uint16"), ("i2", "int16"), ("f2", "float16"), ("f4", "float32")])
def test_bytes_that_seem_to_be_in_the_other_order_are_refused_unless_it_is_said(code: str, name: str) -> None:
    for order, mine, other in (("<", "-le", "-be"), (">", "-be", "-le")):
        stored = smooth(order + code)
        cells = pa.table({"frame": pa.array([frame.tobytes() for frame in stored])})
        found = load_frames(cells, None, FrameChoices("frame", "16x16", name + mine))
        np.testing.assert_array_equal(all_frames(found)[0], stored)
        load_frames(cells, None, FrameChoices("frame", "16x16", name + mine))
        if order == "<":
            load_frames(cells, None, FrameChoices("frame", "16x16", name))
        else:
            with pytest.raises(InputRefused, match="in the other order") as refused:
                load_frames(cells, None, FrameChoices("frame", "16x16", name))
            assert f"{name}-be" in refused.value.hint
            assert other == "-le"


def test_small_amounts_that_are_swapped_are_multiples_of_256() -> None:
    amounts = np.random.default_rng(0).gamma(0.3, 60, (4, 8, 8)).astype("<u2")  # most of them below 256
    amounts[0, 0, 0] = 700
    for kind, message in (("<u2", None), (">u2", "in the other order")):
        cells = pa.table({"frame": pa.array([frame.tobytes() for frame in amounts.astype(kind)])})
        if message is None:
            load_frames(cells, None, FrameChoices("frame", "8x8", "uint16"))
        else:
            with pytest.raises(InputRefused, match=message):
                load_frames(cells, None, FrameChoices("frame", "8x8", "uint16"))


def test_files_that_differ_or_are_damaged_are_refused(frames: Frames, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", frames[0])
    np.save(tmp_path / "b.npy", frames[0, :, :4])
    with pytest.raises(InputRefused, match="frames differ in size: here they are 4x4"):
        load_frames(str(tmp_path))
    np.save(tmp_path / "b.npy", frames[0].astype(np.float32))
    with pytest.raises(InputRefused, match="frames are of type float32, not uint8"):
        load_frames(str(tmp_path))
    for name, data in {
        "is no array of NumPy": b"hello",
        "its array has another size than it says": (tmp_path / "a.npy").read_bytes()[:-1],
        "its header does not say what it holds": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'",
    }.items():
        (tmp_path / "c.npy").write_bytes(data)
        with pytest.raises(InputRefused, match=name):
            load_frames(str(tmp_path / "c.npy"))
    np.save(tmp_path / "d.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputRefused, match="of type object, which are no pixels"):
        load_frames(str(tmp_path / "d.npy"))
    (tmp_path / "e.npz").write_bytes(b"PK")
    with pytest.raises(InputRefused, match="no sound file of NumPy"):
        load_frames(str(tmp_path / "e.npz"))


def test_a_damaged_page_of_frames_is_refused(frames: Frames, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    cells = table(frames, "fixed").select(["frame"])
    parquet.write_table(cells, path, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[data.index(frames[1, 2].tobytes())] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="not a sound Parquet file"):
        load_frames(str(path), None, said("fixed"))


def test_pictures_that_differ_are_refused(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    grey = np.zeros((4, 6), np.uint8)
    for name, other, message in (
        ("size", grey[:3], "this one is 3x6 in grey, 0.png is 4x6 in grey"),
        ("mode", np.zeros((4, 6, 3), np.uint8), "this one is 4x6 in colours, 0.png is 4x6 in grey"),
    ):
        (tmp_path / name).mkdir()
        image.fromarray(grey).save(tmp_path / name / "0.png")
        image.fromarray(other).save(tmp_path / name / "1.png")
        with pytest.raises(InputRefused, match=message):
            load_frames(str(tmp_path / name))
    (tmp_path / "size" / "1.png").write_bytes((tmp_path / "size" / "0.png").read_bytes()[:44])
    with pytest.raises(InputRefused, match="no sound picture"):
        load_frames(str(tmp_path / "size"))


def test_an_empty_folder_and_what_is_no_file_of_frames_are_refused(tmp_path: Path) -> None:
    assert not holds_frames(str(tmp_path))
    with pytest.raises(InputRefused, match="this folder holds no frames"):
        load_frames(str(tmp_path))
    with pytest.raises(UsageError, match="no file of frames"):
        load_frames(str(tmp_path / "a.csv"))
    with pytest.raises(UsageError, match="a table is no file of frames"):
        load_frames(pa.table({"a": [1]}))
    with pytest.raises(UsageError, match="files of frames have no columns, and --time is given"):
        load_frames(str(tmp_path / "a.npy"), ColumnChoices(time="ds"))


def test_two_frames_of_one_time_are_refused(frames: Frames) -> None:
    data = table(frames[:1], "fixed").append_column("ds", pa.array([0, 1, 1, 2, 3, 4], pa.int64()))
    with pytest.raises(SeriesRefused, match="two frames have the same time"):
        load_frames(data, None, said("fixed"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": "48"}, "a grid is rows x columns"),
        ({"grid": "0x4"}, "a grid is rows x columns"),
        ({"grid": "4x4x4x4"}, "a grid is rows x columns"),
        ({"grid": "99999x99999"}, "a grid is rows x columns"),
        ({"frame_dtype": "int8"}, "there are no frames of 'int8'"),
        ({"frame_scale": 0.0}, "frame-scale is a number"),
        ({"frame_missing": "none"}, "frame-missing is the stored value"),
    ],
)
def test_choices_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        frame_choices(options)


def test_python_gives_grids_and_missing_values_as_numbers() -> None:
    assert frame_choices({"grid": (48, 48), "frame_missing": -9999}) == FrameChoices(
        grid="48x48", frame_missing="-9999"
    )


@pytest.mark.parametrize("missing", ["nan", "300", "0.5"])
def test_a_missing_value_that_no_pixel_can_have_is_refused(missing: str, frames: Frames) -> None:
    choices = FrameChoices("frame", "5x4", frame_missing=missing)
    with pytest.raises(UsageError, match=f"no pixel of type uint8 is {missing}"):
        load_frames(table(frames, "fixed"), None, choices)
