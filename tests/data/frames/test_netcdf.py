"""Frames in NetCDF: their variables, their axes, their times, and maps beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.data.frames.load import load_frames
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices, FrameChoices

xarray = pytest.importorskip("xarray")
pytest.importorskip("h5netcdf")

DIMS = ("time", "latitude", "longitude")
MONTHS = np.arange("2020-01", "2021-12", dtype="datetime64[M]").astype("datetime64[ns]")
VALUES = np.random.default_rng(0).normal(size=(len(MONTHS), 4, 5)).astype(np.float32)


def written(path: Path, times: Any = MONTHS, **variables: Any) -> str:
    """A file of temperature and pressure, a forecast of the former and a height."""
    usual = {"t2m": (DIMS, VALUES), "msl": (DIMS, 3 * VALUES), "ahead": (DIMS, VALUES), "height": (DIMS[1:], VALUES[0])}
    found = xarray.Dataset({name: value for name, value in (usual | variables).items() if value is not None})
    found = found if times is None else found.assign_coords(time=times)
    found.to_netcdf(path, engine="h5netcdf")
    return str(path)


def read(path: str, frame: str | None = "t2m", **maps: Any) -> Any:
    return load_frames(path, ColumnChoices(**maps), FrameChoices(frame))


def test_times_are_those_of_the_file_and_go_on_in_months(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nc")
    loaded = read(path)
    assert loaded.times.tolist() == MONTHS.astype("datetime64[us]").astype(int).tolist()
    model = rnncli.train(path, frame="t2m", horizon=2, hidden=3, steps=3)
    rows = rnncli.predict(path, model).to_arrow()
    assert rows.column_names == ["unique_id", "time", "t2m"]
    assert [when.isoformat() for when in rows["time"].to_pylist()] == ["2021-12-01T00:00:00", "2022-01-01T00:00:00"]
    text = rnncli.predict(path, model).encode("csv").decode().splitlines()[1]
    assert text.startswith("a,2021-12-01")


def test_a_step_that_is_left_out_is_a_missing_frame(tmp_path: Path) -> None:
    days = np.array([0, 1, 2, 4, 5], "datetime64[D]").astype("datetime64[ns]")
    path = written(tmp_path / "a.nc", days, **dict.fromkeys(("msl", "ahead")), t2m=(DIMS, VALUES[:5]))
    panel = read(path).panel
    found = panel.frames(np.array([0]), np.array([0]), 6)[0, ..., 0]
    np.testing.assert_array_equal(found[[0, 1, 2, 4, 5]], VALUES[:5])
    assert np.isnan(found[3]).all()


def test_a_file_without_dates_of_the_usual_calendar_is_in_order(tmp_path: Path) -> None:
    loaded = read(written(tmp_path / "a.nc", None))
    assert loaded.times is None
    assert loaded.columns.time is None


def test_times_that_do_not_ascend_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="not in the order of time"):
        read(written(tmp_path / "a.nc", MONTHS[::-1]))


def test_axes_may_stand_in_any_order_and_be_of_a_single_place(tmp_path: Path) -> None:
    turned = ("latitude", "longitude", "time"), np.moveaxis(VALUES, 0, -1)
    level = ("time", "level", *DIMS[1:]), VALUES[:, None]
    path = written(tmp_path / "a.nc", t2m=turned, msl=level)
    for name in ("t2m", "msl"):
        found = read(path, name).panel.frames(np.array([0]), np.array([0]), len(VALUES))
        np.testing.assert_array_equal(found[0, ..., 0], VALUES)


def test_several_variables_are_channels(tmp_path: Path) -> None:
    panel = read(written(tmp_path / "a.nc"), "t2m, msl").panel
    assert panel.channels[0].shape == (4, 5, 2)
    found = panel.frames(np.array([0]), np.array([3]), 1)[0, 0]
    np.testing.assert_array_equal(found, np.stack([VALUES[3], 3 * VALUES[3]], axis=-1))


def test_variables_stand_beside_frames_and_what_is_to_come_has_its_maps(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nc")
    said: dict[str, Any] = {"past": ("msl",), "future": ("ahead",), "static": ("height",)}
    model = rnncli.train(path, frame="t2m", horizon=2, hidden=3, steps=3, **said)
    with pytest.raises(InputRefused, match="'ahead' are missing for 2 of the 2 frames to come"):
        rnncli.predict(path, model)
    later = VALUES.copy()
    later[-2:] = np.nan
    waiting = written(tmp_path / "b.nc", t2m=(DIMS, later), msl=(DIMS, np.where(np.isnan(later), 0, VALUES)))
    made = rnncli.predict(waiting, model).to_arrow()
    assert made["time"].to_pylist() == MONTHS[-2:].astype("datetime64[us]").tolist()
    panel = read(waiting, **said).panel
    assert np.isnan(panel.targets[-2:]).all()
    np.testing.assert_array_equal(
        panel.frames(np.array([0]), np.array([-1 + len(VALUES)]), 1, 2)[0, 0, ..., 0], VALUES[-1]
    )
    np.testing.assert_array_equal(panel.frames(np.array([0]), np.array([7]), 1, 3)[0, 0, ..., 0], VALUES[0])


@pytest.mark.parametrize(
    ("frame", "maps", "error"),
    [
        (None, {}, "which of t2m, msl, ahead is meant is not said"),
        ("height", {}, "no variable 'height' over time"),
        ("t2m,sun", {}, "no variable 'sun' over time"),
        ("t2m", {"past": ("sun",)}, "no variable 'sun', which is to be a map"),
        ("t2m", {"past": ("height",)}, "'height' has no times"),
        ("t2m", {"static": ("msl",)}, "'msl' has times"),
        ("t2m", {"past": ("small",)}, "'small' is 23 x 2 x 5, and the frames are 23 x 4 x 5"),
        ("t2m,small", {}, "'t2m' is 23 x 4 x 5, and 'small' is 23 x 2 x 5"),
        ("t2m", {"static": ("part",)}, "'part' is 1 x 2 x 5"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(frame: str | None, maps: Any, error: str, tmp_path: Path) -> None:
    small = ("time", "rows", "longitude"), VALUES[:, :2]
    part = ("rows", "longitude"), VALUES[0, :2]
    path = written(tmp_path / "a.nc", small=None if frame is None else small, part=part)
    with pytest.raises((InputRefused, UsageError), match=error):
        read(path, frame, **maps)
