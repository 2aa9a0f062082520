"""Bad input that used to be met with the wrong advice, or with silence: weights that are nowhere, withheld answers, videos that are not found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely

from vidtag_engine.export import write_geopackage
from vidtag_engine.types import DecodeReport, FrameState, Provenance, TimeSource, Trajectory, Verdict, VideoInfo, VideoResult

from .bad_input_cases import EAST, FIELD, NORTH, SOUTH, WEST, Case, heatmap, train

_FRAMES = 5
_TRUTH = "words-truth.gpx"

CASES = (
    Case(
        "a heat map by geoclip without CLIP's weights and without a network",
        heatmap("drive.mp4", checkpoint="geoclip"),
        ("CLIP", "go online"),
    ),
    Case("a training of vidtag-l14 without weights and without a network", train(preset="vidtag-l14"), ("CLIP", "go online")),
    Case("frames of a video that is nowhere", ("export", "words-located.gpkg", "--frames", "jpegs"), ("seaside.mp4", "was not found")),
    Case(
        "frames from another file of the video's name",
        ("export", "words-located.gpkg", "--frames", "jpegs", "--videos", "words/seaside.mp4"),
        ("words/seaside.mp4", "SHA-256"),
    ),
    Case(
        "evaluation of an answer that was withheld",
        ("evaluate", "words-withheld.gpkg", "--truth", _TRUTH),
        ("seaside.mp4", "withheld", "--always-answer"),
    ),
    Case(
        "evaluation of a video without an answer", ("evaluate", "words-damaged.gpkg", "--truth", _TRUTH), ("seaside.mp4", "has an answer")
    ),
    Case(
        "a training without an area whose track is of another day",
        ("train", "--video", "drive.mp4", "--truth", "words-yesterday.gpx", "--output", "learnt"),
        ("words-yesterday.gpx", "drive.mp4"),
    ),
)


def make_inputs(folder: Path) -> None:
    """Results of a made-up video: located, withheld and damaged; another video of its name, and tracks."""
    (folder / "words").mkdir()
    (folder / "words" / "seaside.mp4").write_bytes((folder / "drive.mp4").read_bytes())
    for name, day in ((_TRUTH, 1), ("words-yesterday.gpx", 30)):
        month = 5 if day == 1 else 4
        points = "".join(
            f'<trkpt lat="{SOUTH}" lon="{WEST}"><time>2026-{month:02d}-{day:02d}T12:00:{second:02d}Z</time></trkpt>'
            for second in range(_FRAMES)
        )
        (folder / name).write_text(
            f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'
        )
    lat, lon, sure = np.linspace(SOUTH, NORTH, _FRAMES), np.full(_FRAMES, (WEST + EAST) / 2), np.full(_FRAMES, 0.5)
    nothing = np.full(_FRAMES, np.nan)
    located = Trajectory(
        np.arange(_FRAMES), np.arange(_FRAMES, dtype=float), lat, lon, sure, sure, nothing, lat, lon, (FrameState.LOCATED,) * _FRAMES, 100.0
    )
    none = replace(located, lat_deg=nothing, lon_deg=nothing, confidence=nothing, phase1_lat_deg=nothing, phase1_lon_deg=nothing)
    verdict = Verdict(FrameState.OUTSIDE_AOI, 0.1, 0.5, (0.0,) * 4, 1.0, None, None, why="It was taken elsewhere.")
    _write(folder / "words-located.gpkg", located)
    _write(folder / "words-withheld.gpkg", replace(none, state=(FrameState.OUTSIDE_AOI,) * _FRAMES, verdict=verdict))
    _write(folder / "words-damaged.gpkg", replace(none, state=(FrameState.DAMAGED,) * _FRAMES))


def _write(path: Path, trajectory: Trajectory) -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    info = VideoInfo(Path("seaside.mp4"), "seaside.mp4", "video", 64, 48, float(_FRAMES), start, TimeSource.CONTAINER)
    video = VideoResult(info, trajectory, DecodeReport(_FRAMES, _FRAMES, 0), "5e" * 32)
    made = Provenance({}, {"name": "made-up", "sha256": ""}, {"resolution_m": 40.0, "digest": ""}, {}, 0, start)
    write_geopackage(path, [video], made, aoi=shapely.box(*(float(side) for side in FIELD.split(","))))
