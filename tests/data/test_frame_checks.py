"""What is wrong with frames is found, with the sequence that it is in, and nothing is found where all is well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from rnncli.data.checks.finding import Finding
from rnncli.data.checks.framed import check_frames
from rnncli.data.frames.known import known_frames
from rnncli.data.frames.load import load_frames
from rnncli.registry import FRAME_CHECKS
from rnncli.spec import ColumnChoices, FrameChoices

ANY = ColumnChoices()
Frames = NDArray[Any]


def clips(count: int = 3, steps: int = 6) -> list[Frames]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 250, (steps, 4, 5)).astype(np.uint8) for _ in range(count)]


def table(frames: list[Frames], kind: pa.DataType | None = None) -> pa.Table:
    cells = [frame.tobytes() for clip in frames for frame in clip]
    ids = [f"s{s}" for s, clip in enumerate(frames) for _ in clip]
    return pa.table({"id": ids, "frame": pa.array(cells, kind or pa.binary())})


def findings(data: Any, horizon: int | None = None, **choices: str) -> dict[str, Finding]:
    frames = FrameChoices("frame", "4x5", **choices)
    return {finding.id: finding for finding in check_frames(data, ANY, frames, horizon=horizon).findings}


def test_where_all_is_well_nothing_is_found() -> None:
    looked = check_frames(table(clips()), ANY, FrameChoices("frame", "4x5"), horizon=5)
    assert looked.findings == ()
    assert looked.seen is not None
    assert looked.seen.lengths.tolist() == [6, 6, 6]


def test_what_cannot_be_read_is_an_error() -> None:
    found = check_frames(table(clips()), ANY, FrameChoices("frame", "4x4")).findings
    assert [(finding.id, finding.severity) for finding in found] == [("refused", "error")]
    assert found[0].remedy == "which of these is it: --grid 4x5?"


def test_short_sequences_are_found_and_an_error_where_all_are() -> None:
    data = table([*clips(), clips(1, 1)[0]])
    found = findings(data)["sequence-short"]
    assert (found.severity, found.count, found.examples[0].says) == ("warning", 1, "1 frame")
    assert findings(data, horizon=6)["sequence-short"].severity == "error"
    assert "lengths-differ" in findings(table([clips(1, 20)[0], clips(1, 2)[0]]))


def test_still_and_repeated_sequences_are_found() -> None:
    frames = clips(4)
    frames[1][:] = frames[1][0]
    frames[3] = frames[0].copy()
    found = findings(table(frames))
    assert found["sequence-constant"].examples[0].series == "s1"
    assert [(one.series, one.says) for one in found["sequence-repeated"].examples] == [("s3", "as 's0'")]


def test_missing_frames_and_pixels_are_found() -> None:
    frames = clips()
    frames[0][2, 1, 3] = 255
    cells = table(frames).column("frame").to_pylist()
    cells[7] = None
    data = pa.table({"id": table(frames).column("id"), "frame": pa.array(cells, pa.binary())})
    found = findings(data, frame_missing="255")
    assert (found["pixel-missing"].severity, found["pixel-missing"].count) == ("note", 1)
    assert found["pixel-missing"].examples[0].says == "the most: pixel (1, 3) in 6% of the frames"
    assert (found["frame-missing"].count, found["frame-missing"].examples[0].series) == (1, "s1")


def test_pixels_that_never_change_are_found_and_an_error_where_none_does() -> None:
    frames = clips()
    for clip in frames:
        clip[:, 0] = 7
    found = findings(table(frames))["pixel-constant"]
    assert (found.severity, found.count, found.examples[0].says) == ("note", 5, "(0, 0) is 7")
    for clip in frames:
        clip[:] = 7
    assert findings(table(frames))["pixel-constant"].severity == "error"


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_saturated_pixels_are_found(share: float) -> None:
    frames = clips()
    for clip in frames:
        clip[np.random.default_rng(1).random(clip.shape) < share] = 255
    assert ("pixel-saturated" in findings(table(frames))) is (share > 0)
    assert "pixel-saturated" not in findings(table(frames), frame_missing="255")


def test_pictures_in_black_and_white_are_not_saturated() -> None:
    frames = [np.where(clip > 100, 255, 0).astype(np.uint8) for clip in clips()]
    assert "pixel-saturated" not in findings(table(frames))


def test_sequences_that_a_model_learnt_from_are_found() -> None:
    data = table(clips())
    known = known_frames(load_frames(data, None, FrameChoices("frame", "4x5")))
    found = check_frames(data, ANY, FrameChoices(), known, ["s1"]).findings
    assert [(finding.id, finding.examples[0].series) for finding in found] == [("sequence-learnt", "s1")]


def with_maps(steps: int = 6, ahead: int = 2) -> list[dict[str, Any]]:
    """Rows of clips with a map known up to now and one known ahead, behind the last frame too."""
    rows = []
    for s, clip in enumerate(clips(3, steps + ahead)):
        for step, frame in enumerate(clip):
            row = {"id": f"s{s}", "frame": frame.tobytes() if step < steps else None}
            rows.append(row | {"wind": frame.tobytes(), "ahead": frame.tobytes()})
    return rows


def test_maps_that_are_missing_are_told_of() -> None:
    rows, roles = with_maps(), ColumnChoices(past=("wind",), future=("ahead",))

    def found() -> dict[str, Finding]:
        looked = check_frames(pa.Table.from_pylist(rows), roles, FrameChoices("frame", "4x5"))
        return {finding.id: finding for finding in looked.findings}

    assert found() == {}
    rows[4]["wind"] = None
    assert (found()["map-missing"].severity, found()["map-missing"].count) == ("note", 1)
    for row in rows:
        row["wind"] = None if row["id"] == "s1" else row["wind"]
    assert found()["map-missing"].severity == "warning"


def test_maps_that_end_before_the_horizon_are_an_error_for_a_model() -> None:
    roles = ColumnChoices(past=("wind",), future=("ahead",))
    known = known_frames(load_frames(pa.Table.from_pylist(with_maps()), roles, FrameChoices("frame", "4x5")))
    for ahead, short in ((2, 0), (1, 3)):
        data = pa.Table.from_pylist(with_maps(ahead=ahead))
        found = check_frames(data, ANY, FrameChoices(), known, horizon=2).findings
        assert [(one.id, one.severity, one.count) for one in found] == [("future-ends-early", "error", 3)][:short]


def test_every_check_is_tested_here() -> None:
    with open(__file__, encoding="utf-8") as own:  # noqa: PTH123
        text = own.read()
    assert not [name for name in FRAME_CHECKS if name not in text]
