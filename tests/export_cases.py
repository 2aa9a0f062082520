"""Results to export: ordinary ones and every odd one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely

from vidtag_engine.types import DecodeReport, FrameState, Hypotheses, Provenance, TimeSource, Trajectory, Verdict, VideoInfo, VideoResult

START = datetime(2024, 5, 1, 12, 0, 0, 123000, tzinfo=UTC)
CREATED = datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
PROVENANCE = Provenance(
    settings={
        "aoi": "/home/someone/private/aoi.gpkg",
        "cache": Path("/var/cache/x"),
        "nested": ["C:\\Users\\Someone\\v.mp4", "~/k"],
        "rate_hz": 1.0,
    },
    checkpoint={"name": "isle", "sha256": "00" * 32},
    gallery={"kind": "equal-earth", "resolution_m": 10.0, "count": 321, "digest": "ff"},
    versions={"vidtag": "0.1.0"},
    seed=7,
    created_utc=CREATED,
)


def video(name, lat, lon, confidence, *, time_s=None, start=START, source=TimeSource.CONTAINER, embedded=None):
    lat, lon, confidence = (np.asarray(a, dtype=float) for a in (lat, lon, confidence))
    count = len(lat)
    located = np.isfinite(lat)
    return VideoResult(
        info=VideoInfo(Path("/home/someone/videos") / name, name, "video", 640, 480, float(count), start, source, embedded, 90, True),
        trajectory=Trajectory(
            frame_index=np.arange(count),
            time_s=np.arange(count) * 1.0333667 if time_s is None else np.asarray(time_s, dtype=float),
            lat_deg=lat,
            lon_deg=lon,
            confidence=confidence,
            score=(confidence / 2).astype(np.float32),
            runner_up_m=np.where(confidence <= 0.5, 321.5, np.nan),
            phase1_lat_deg=lat + 1e-3,
            phase1_lon_deg=lon,
            state=tuple(FrameState.LOCATED if ok else FrameState.DAMAGED for ok in located),
            confidence_radius_m=100.0,
        ),
        report=DecodeReport(3 * count, count, 2, ((3.0, 4.5),), repeated=5),
        sha256="ab" * 32,
        seconds={"decode": 1.25},
    )


def drive(name="drive.mp4", count=40, seed=1, gap=None, **more):
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.12, count))
    lat = -19.22 + np.cumsum(np.cos(heading)) * 1e-4
    lon = 159.93 + np.cumsum(np.sin(heading)) * 1e-4
    confidence = 0.5 + 0.48 * np.sin(np.arange(count) / 6 + seed)
    if gap:
        for array in (lat, lon, confidence):
            array[gap] = np.nan
    return video(name, lat, lon, confidence, **more)


def as_schema_2(path, pins=()):
    """Make a result what VidTAG 0.1 wrote: pins in a layer of its own, by frame number alone, and the inputs in the record."""
    with closing(sqlite3.connect(path)) as database, database:
        (text,) = database.execute("SELECT metadata FROM gpkg_metadata").fetchone()
        old = json.loads(text) | {"schema_version": 2, "inputs": []}
        database.execute("UPDATE gpkg_metadata SET metadata = ?", (json.dumps(old),))
    columns = {
        "video": [pin.video for pin in pins],
        "frame_index": np.array([pin.frame_index for pin in pins], dtype=np.int64),
        "here": np.array([pin.here for pin in pins], dtype=bool),
        "radius_m": np.array([pin.radius_m for pin in pins], dtype=float),
        "who": [pin.who or None for pin in pins],
        "when": pd.to_datetime([pin.when for pin in pins], utc=True).astype("datetime64[ms, UTC]"),
        "why": [pin.why or None for pin in pins],
    }
    places = np.array([shapely.Point(pin.lon_deg, pin.lat_deg) for pin in pins], dtype=object)
    pyogrio.write_dataframe(geopandas.GeoDataFrame(columns, geometry=places, crs="EPSG:4326"), path, layer="pins", geometry_type="Point")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE gpkg_contents SET last_change = (SELECT last_change FROM gpkg_contents WHERE table_name = 'frames')")


NAN = float("nan")
UNRATED = "this checkpoint cannot tell how sure it is (nothing has calibrated it)."
SYNTHETIC = {"start": datetime(2000, 1, 1, tzinfo=UTC), "source": TimeSource.SYNTHETIC}


def every_kind():
    """Name by name: an unbroken drive, one with a gap, one frame, no answer, across ±180°, standing still, no frames."""
    return [
        drive("Fahrt ü 東京.mp4", embedded="GPS5"),
        drive("a <b> & 'c' \"d\".mp4", 30, 4, gap=slice(12, 15), **SYNTHETIC),
        video("one.mp4", [-19.2], [159.9], [0.7]),
        video("none.mp4", [NAN, NAN], [NAN, NAN], [NAN, NAN]),
        video("dateline.mp4", [10, 10.5, 11], [179.5, -179.5, -179.0], [0.1, 0.5, 0.9]),
        video("standing.mp4", [5, 5, 5], [6, 6, 6], [0.9, 0.9, 0.9], time_s=[0, 0, 1]),
        video("empty.mp4", [], [], []),
    ]


def around(lat, lon, deg):
    """A square region about a place."""
    return shapely.box(lon - deg, lat - deg, lon + deg, lat + deg)


def unsure(name="unsure.mp4", count=6, *, state=FrameState.LOCATED, always_answer=False, rated=True, seed=3, **more):
    """A drive with hypotheses: two places it could be, a damaged frame, and a verdict; ``state`` withholds the answer unless always_answer.

    Where it is not ``rated``, no probability is shown with it, as of a checkpoint that nothing has calibrated, or of a guess that was asked for all the same.
    """
    result = drive(name, count, seed, gap=slice(2, 3), **more)
    t = result.trajectory
    rng = np.random.default_rng(seed)
    known = np.isfinite(t.lat_deg)

    def column(values):
        return np.where(known, values, np.nan)

    within = np.where(known[:, None], np.sort(rng.random((count, 4)), axis=1), np.nan)
    if not rated:
        within = np.full((count, 4), np.nan)
        t = replace(t, confidence=np.full(count, np.nan))
    region50 = tuple(around(y, x, 0.001) if ok else None for y, x, ok in zip(t.lat_deg, t.lon_deg, known, strict=True))
    other = around(-19.25, 159.95, 0.002)
    region90 = tuple(None if one is None else shapely.union_all([one.buffer(0.0005, cap_style="square"), other]) for one in region50)
    hypotheses = Hypotheses(
        radii_m=(25.0, 100.0, 500.0, 1000.0),
        within=within,
        entropy_bits=column(rng.random(count) * 8),
        runner_up_lat_deg=column(-19.25),
        runner_up_lon_deg=column(159.95),
        runner_up_share=column(0.3),
        position_share=column(0.6),
        region50=region50,
        region90=region90,
        best_lat_deg=t.lat_deg,
        best_lon_deg=t.lon_deg,
    )
    withheld = state is not FrameState.LOCATED and not always_answer
    verdict = Verdict(
        state=state,
        inside=0.03 if state is FrameState.OUTSIDE_AOI else 0.97,
        familiarity=0.4,
        within=tuple(np.nanmean(within, axis=0).tolist()) if rated else (NAN,) * 4,
        entropy_bits=float(np.nanmean(hypotheses.entropy_bits)),
        region50=shapely.union_all([one for one in region50 if one is not None]),
        region90=shapely.union_all([one for one in region90 if one is not None]),
        why=UNRATED
        if state is FrameState.LOCATED and not rated
        else ""
        if state is FrameState.LOCATED
        else f"it is {state.value}, by all that is known.",
        unknown_share=1.0 if state is FrameState.UNKNOWN_GROUND else 0.25,
    )
    if withheld:
        nothing = np.full(count, np.nan)
        t = replace(
            t, lat_deg=nothing, lon_deg=nothing, confidence=nothing, score=nothing, runner_up_m=nothing,
            state=tuple(state if ok else FrameState.DAMAGED for ok in known),
        )  # fmt: skip
    return replace(result, trajectory=replace(t, hypotheses=hypotheses, verdict=verdict))


def moved(result, lat, lon):
    """The same result elsewhere: its first place that is known comes to lie there."""
    t, verdict = result.trajectory, result.trajectory.verdict
    found = t.hypotheses
    first_lat, first_lon = (
        values[np.isfinite(values)][0] for values in ((found.best_lat_deg, found.best_lon_deg) if found else (t.lat_deg, t.lon_deg))
    )
    north, east = lat - first_lat, lon - first_lon

    def shape(one):
        return None if one is None else shapely.transform(one, lambda xy: xy + np.array([east, north]))

    if found is not None:
        found = replace(
            found,
            region50=tuple(map(shape, found.region50)),
            region90=tuple(map(shape, found.region90)),
            best_lat_deg=found.best_lat_deg + north,
            best_lon_deg=found.best_lon_deg + east,
            runner_up_lat_deg=found.runner_up_lat_deg + north,
            runner_up_lon_deg=found.runner_up_lon_deg + east,
        )
    if verdict is not None:
        verdict = replace(verdict, region50=shape(verdict.region50), region90=shape(verdict.region90))
    return replace(result, trajectory=replace(t, lat_deg=t.lat_deg + north, lon_deg=t.lon_deg + east, hypotheses=found, verdict=verdict))
