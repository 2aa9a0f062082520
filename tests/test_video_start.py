"""When a video begins: at which end of the recording its file was dated, where its pictures begin, in which zone a clock runs."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.video_maker import write_video
from vidtag_engine.settings import GeolocateSettings, validated, zone_of
from vidtag_engine.types import InputError, TimeSource, Track
from vidtag_engine.video import frame_names, open_source, read_track
from vidtag_engine.video.align_track import align

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ffmpeg(*words: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True)


def dated(tmp_path: Path, *metadata: str, offset_s: float = 0.0, name: str = "a.mp4") -> Path:
    """A video of four seconds, dated noon by ffmpeg."""
    plain = write_video(tmp_path / "plain.mp4", 100, options={"bf": "0"})
    path = tmp_path / name
    said = [word for entry in (f"creation_time={NOON:%Y-%m-%dT%H:%M:%SZ}", *metadata) for word in ("-metadata", entry)]
    ffmpeg("-itsoffset", offset_s, "-i", plain, "-c", "copy", *said, "-movflags", "use_metadata_tags", path)
    return path


def test_android_dates_the_end_of_the_recording(tmp_path):
    info = open_source(dated(tmp_path, "com.android.version=14"))
    assert info.time_source is TimeSource.CONTAINER_END
    assert info.duration_s is not None
    assert (NOON - info.start_time).total_seconds() == pytest.approx(info.duration_s, abs=0.05)
    other = open_source(dated(tmp_path, "make=Another"))
    assert (other.start_time, other.time_source) == (NOON, TimeSource.CONTAINER)


def test_pictures_that_begin_at_2500_ms_begin_then(tmp_path):
    for name in ("a.mp4", "a.mkv"):
        info = open_source(dated(tmp_path, offset_s=2.5, name=name))
        assert (info.start_time - NOON).total_seconds() == pytest.approx(2.5, abs=0.05)


def drive(start: datetime, length_s: float, *, absolute: bool = True, step_s: float = 1.0) -> Track:
    time_s = np.arange(0, length_s + step_s / 2, step_s)
    return Track(time_s + (start.timestamp() if absolute else 0), 10 + time_s / 1000, 20 + time_s / 1000, absolute, "GPX")


def test_a_better_fit_by_the_length_is_said_and_not_applied(tmp_path):
    info = open_source(dated(tmp_path))
    times_s = np.arange(0, 4, 0.1)
    found = align(drive(NOON - timedelta(seconds=4), 4), info, times_s)
    assert "says the end of the recording, not its start" in found.note
    assert "--start-time 2026-05-01T11:59:5" in found.note
    assert int(np.isfinite(found.lat_deg).sum()) < len(times_s)
    assert not align(drive(NOON, 4), info, times_s).warnings
    none = align(drive(NOON - timedelta(seconds=8), 4), info, times_s)
    assert "the end of the recording" in none.why_none
    android = open_source(dated(tmp_path, "com.android.version=14"))
    assert "says the start of the recording, not its end" in align(drive(NOON, 4), android, times_s).note


@pytest.mark.parametrize("unit", [1e3, 1e-3, 1e6])
def test_a_track_in_another_unit_is_refused(unit, tmp_path):
    info = open_source(write_video(tmp_path / "a.mp4", 100))
    track = drive(NOON, 4 * unit, absolute=False, step_s=unit)
    with pytest.raises(InputError, match="another unit than seconds"):
        align(track, info, np.arange(0, 4, 0.1))
    longer = drive(NOON, 200, absolute=False)
    assert "check the unit" in align(longer, info, np.arange(0, 4, 0.1)).note


def test_a_local_time_zone_for_start_times():
    given = {"start_time": "2026-05-01 14:00", "time_zone": "Europe/Stockholm"}
    assert validated(GeolocateSettings, given).start_time == NOON
    assert validated(GeolocateSettings, {**given, "start_time": "2026-01-01 13:00"}).start_time == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert validated(GeolocateSettings, {**given, "start_time": "2026-05-01T12:00:00Z"}).start_time == NOON
    assert "time_zone" not in validated(GeolocateSettings, {}).result_key()
    with pytest.raises(InputError, match="no time zone 'Middle/Earth'"):
        validated(GeolocateSettings, {"time_zone": "Middle/Earth"})


def picture(path: Path, seconds: int, place: tuple[float, float] | None, offset: str | None = None) -> None:
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    details[0x9003] = f"2026:05:01 14:00:{seconds:02}"
    if offset:
        details[0x9011] = offset
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (place[0], 0, 0), 3: "E", 4: (place[1], 0, 0)})
    Image.new("RGB", (8, 8)).save(path, exif=exif)


@pytest.mark.parametrize("offset", [None, "+02:00"])
def test_exif_times_without_an_offset_are_in_the_zone(offset, tmp_path):
    for number in range(3):
        picture(tmp_path / f"{number}.jpg", number, (10 + number, 20), offset)
    info = open_source(tmp_path, zone=zone_of("Europe/Stockholm"))
    assert (info.start_time, info.time_source) == (NOON, TimeSource.EXIF)
    times_s = np.arange(3.0)
    found = align(read_track(tmp_path), info, times_s, frame_names(info, times_s))
    assert found.lat_deg.tolist() == [10, 11, 12]


def test_positions_that_begin_later_than_the_pictures_stay_where_they_are(tmp_path):
    for number in range(6):
        picture(tmp_path / f"{number}.jpg", number, (10 + number, 20) if number > 2 else None)
    info, times_s = open_source(tmp_path), np.arange(6.0)
    found = align(read_track(tmp_path), info, times_s)
    assert np.isnan(found.lat_deg[0])
    np.testing.assert_allclose(found.lat_deg[3:], [13, 14, 15], atol=1e-9)
