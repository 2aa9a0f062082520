"""Gallery, evaluation and export as the worker and the command line call them; EXIF read back by GDAL."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from pyproj import Geod

from tests.test_evaluation_evaluate import drive
from tests.video_maker import number_of, write_video
from vidtag_engine.command_arguments import EvaluateArguments, ExportArguments, GalleryArguments
from vidtag_engine.commands.evaluate import run_evaluate
from vidtag_engine.commands.export import run_export
from vidtag_engine.commands.gallery import run_gallery
from vidtag_engine.export import write_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.types import (
    CancelledError,
    DecodeReport,
    FrameState,
    InputError,
    Provenance,
    TimeSource,
    Trajectory,
    VideoInfo,
    VideoResult,
)
from vidtag_engine.video import read_track, source_digest
from vidtag_engine.video.exif import read_stamp

SQUARE = "POLYGON((159.930 -19.222, 159.934 -19.222, 159.934 -19.218, 159.930 -19.218, 159.930 -19.222))"
START = datetime(2024, 5, 1, 23, 59, 58, 250_000, tzinfo=UTC)


def provenance(**settings) -> Provenance:
    return Provenance({"rate_hz": 2.0, "from_s": 0.0, "to_s": None, **settings}, {"name": "test"}, {"count": 9}, {"vidtag": "0"}, 0, START)


def styles(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT f_table_name FROM layer_styles")}


def test_gallery_counts_writes_and_styles(tmp_path) -> None:
    arguments = GalleryArguments(aoi=SQUARE, resolution_m=25.0)
    counted = run_gallery(arguments)
    assert (counted["output"], counted["time"]) == (None, None)
    steps = []
    written = run_gallery(
        GalleryArguments(aoi=SQUARE, resolution_m=25.0, output=str(tmp_path / "é g.gpkg")),
        feedback=Feedback(progress=lambda s: steps.append(s.fraction)),
    )
    assert written["count"] == counted["count"]
    run = subprocess.run(["ogrinfo", "-so", tmp_path / "é g.gpkg", "gallery"], capture_output=True, text=True, check=True)
    assert f"Feature Count: {counted['count']}" in run.stdout
    assert styles(tmp_path / "é g.gpkg") == {"gallery"}
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_layers_are_of_the_version_that_qgis_3_22_knows(tmp_path) -> None:
    result, truth = drive()
    write_geopackage(tmp_path / "r.gpkg", [result], provenance())
    arguments = EvaluateArguments(str(tmp_path / "r.gpkg"), str(gpx_of(truth, tmp_path / "t.gpx")), errors=str(tmp_path / "e.gpkg"))
    run_evaluate(arguments)
    run_gallery(GalleryArguments(aoi=SQUARE, resolution_m=50.0, output=str(tmp_path / "g.gpkg")))
    for path in tmp_path.glob("*.gpkg"):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (10200,), path


def test_gallery_that_is_stopped_or_misnamed_leaves_nothing(tmp_path) -> None:
    with pytest.raises(CancelledError):
        run_gallery(
            GalleryArguments(aoi=SQUARE, resolution_m=5.0, output=str(tmp_path / "g.gpkg")), feedback=Feedback(cancelled=lambda: True)
        )
    with pytest.raises(InputError, match=r"\.gpkg"):
        run_gallery(GalleryArguments(aoi=SQUARE, resolution_m=5.0, output=str(tmp_path / "g.shp")))
    with pytest.raises(InputError, match="does not exist"):
        run_gallery(GalleryArguments(aoi=SQUARE, resolution_m=5.0, output=str(tmp_path / "no" / "g.gpkg")))
    assert list(tmp_path.iterdir()) == []


def gpx_of(truth, path: Path) -> Path:
    points = "".join(
        f'<trkpt lat="{lat:.9f}" lon="{lon:.9f}"><time>{datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
        for t, lat, lon in zip(truth.time_s, truth.lat_deg, truth.lon_deg, strict=True)
    )
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>')
    return path


class Pictures(html.parser.HTMLParser):
    """Sources of pictures and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []

    def handle_starttag(self, tag, attributes) -> None:
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])


def test_evaluation_writes_errors_report_and_numbers(tmp_path) -> None:
    result, truth = drive("<b>drive & co</b>.mp4", damaged=(3, 4))  # crosses ±180°, each frame 30 m off
    write_geopackage(tmp_path / "out.gpkg", [result], provenance())
    outputs = {
        name: str(tmp_path / f"e.{suffix}") for name, suffix in (("errors", "gpkg"), ("html", "html"), ("map", "png"), ("json", "json"))
    }
    said = run_evaluate(EvaluateArguments(str(tmp_path / "out.gpkg"), str(gpx_of(truth, tmp_path / "t.gpx")), **outputs))
    assert said["files"] == outputs
    assert said["overall"]["compared"] == 38
    assert json.loads(Path(outputs["json"]).read_text())["overall"] == said["overall"]
    assert styles(tmp_path / "e.gpkg") == {"errors"}

    run = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", outputs["errors"], "errors"], capture_output=True, text=True, check=True
    )
    features = json.loads(run.stdout)["features"]
    assert [f["properties"]["frame_index"] for f in features] == [i for i in range(40) if i not in {3, 4}]
    ellipsoid = Geod(ellps="WGS84")
    for feature in features:
        length_m = sum(ellipsoid.line_length(*zip(*part, strict=True)) for part in feature["geometry"]["coordinates"])
        assert length_m == pytest.approx(feature["properties"]["error_m"], abs=0.01)
        assert feature["properties"]["error_m"] == pytest.approx(30.0, abs=0.01)
        assert feature["properties"]["within_radius"] == 1
    assert features[0]["properties"]["time"].startswith("2024")

    page = Path(outputs["html"]).read_text(encoding="utf-8")
    reader = Pictures()
    reader.feed(page)
    assert len(reader.pictures) == 4
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in reader.pictures)
    assert "<b>drive" not in page  # a video's name is text, whatever is in it
    assert "&lt;b&gt;drive &amp; co" in page
    assert "30.0 m" in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_evaluation_refuses_outputs_before_it_compares(tmp_path) -> None:
    for name, place, said in (("errors", "e.shp", "gpkg"), ("map", "e.bmp", "kind of picture"), ("html", "no/e.html", "does not exist")):
        with pytest.raises(InputError, match=said):
            run_evaluate(EvaluateArguments("missing.gpkg", "missing.gpx", **{name: str(tmp_path / place)}))


@pytest.fixture
def located(tmp_path) -> tuple[Path, VideoResult]:
    """A video of numbered pictures at 4 a second, located at 2 a second; the third frame has no answer, the fourth little confidence."""
    (tmp_path / "clips é").mkdir()
    video = write_video(tmp_path / "clips é" / "walk.mp4", [int(15 * i) for i in range(24)], size=(128, 64))  # 1/30 s: 2 a second
    count = 12
    lat = np.linspace(-19.9999999, -19.5, count)
    lon = np.linspace(179.99999999, 179.9, count)
    lat[2] = lon[2] = np.nan
    confidence = np.full(count, 0.9)
    confidence[2], confidence[3] = np.nan, 0.1
    state = tuple(FrameState.DAMAGED if i == 2 else FrameState.LOCATED for i in range(count))
    nothing = np.full(count, np.nan)
    trajectory = Trajectory(np.arange(count), np.arange(count) * 0.5, lat, lon, confidence, confidence, nothing, lat, lon, state, 250.0)
    info = VideoInfo(video, "walk.mp4", "video", 128, 64, 12.0, START, TimeSource.ARGUMENT)
    result = VideoResult(info, trajectory, DecodeReport(12, 12, 0), source_digest(video), {})
    write_geopackage(tmp_path / "walk.gpkg", [result], provenance(to_s=5.9))
    return tmp_path, result


def gdal_exif(path: Path) -> dict[str, str]:
    run = subprocess.run(["gdalinfo", "-json", str(path)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["metadata"][""]


def decimal(text: str, reference: str) -> float:
    degrees, minutes, seconds = (float(part) for part in re.findall(r"\(([^)]+)\)", text))
    return (degrees + minutes / 60 + seconds / 3600) * (-1 if reference in "SW" else 1)


def test_frames_carry_place_time_and_confidence(located) -> None:
    folder, result = located
    said = run_export(
        ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "new" / "jpegs"), videos=[str(folder)], csv=str(folder / "o.csv"))
    )
    assert (said["frames"], said["left_out"]) == (11, 1)
    assert Path(said["files"]["csv"]).is_file()
    pictures = sorted((folder / "new" / "jpegs").iterdir())
    assert [path.name for path in pictures] == [f"walk.mp4_{i:06d}.jpg" for i in range(12) if i != 2]
    for path in pictures:
        index = int(path.stem[-6:])
        exif = gdal_exif(path)
        lat = decimal(exif["EXIF_GPSLatitude"], exif["EXIF_GPSLatitudeRef"])
        lon = decimal(exif["EXIF_GPSLongitude"], exif["EXIF_GPSLongitudeRef"])
        assert lat == pytest.approx(result.trajectory.lat_deg[index], abs=2e-7)  # GDAL prints six digits
        assert lon == pytest.approx(result.trajectory.lon_deg[index], abs=2e-7)
        moment = START + timedelta(seconds=0.5 * index)
        assert exif["EXIF_DateTimeOriginal"] == f"{moment:%Y:%m:%d %H:%M:%S}"
        assert exif["EXIF_GPSDateStamp"] == f"{moment:%Y:%m:%d}"
        assert abs(read_stamp(path).taken - moment) < timedelta(milliseconds=1)
        facts = json.loads(exif["EXIF_UserComment"].removeprefix("ASCII").strip("\0 "))
        assert facts["confidence"] == pytest.approx(result.trajectory.confidence[index])
        assert facts["sha256"] == result.sha256
        with Image.open(path) as image:
            assert number_of(np.asarray(image.convert("RGB"))) == index
    track = read_track(folder / "new" / "jpegs")  # as truth for a training
    assert track.lat_deg == pytest.approx(result.trajectory.lat_deg[[i for i in range(12) if i != 2]], abs=1e-8)


def test_unsure_frames_can_be_left_out(located) -> None:
    folder, _ = located
    said = run_export(ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "j"), videos=[str(folder)], least_confidence=0.5))
    assert (said["frames"], said["left_out"]) == (10, 2)


def test_frames_that_are_not_rated_are_kept_and_say_so(located) -> None:
    folder, _ = located
    unrated = folder / "unrated.gpkg"
    shutil.copyfile(folder / "walk.gpkg", unrated)
    with closing(sqlite3.connect(unrated)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'frames'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE frames SET confidence = NULL")
    said = run_export(ExportArguments(str(unrated), frames=str(folder / "unrated"), videos=[str(folder)], least_confidence=0.9))
    assert (said["frames"], said["left_out"]) == (11, 1)  # one is damaged
    with Image.open(next((folder / "unrated").glob("*.jpg"))) as image:
        assert image.getexif()[ExifTags.Base.ImageDescription].endswith("place estimated by VidTAG, not rated")


def test_another_video_of_that_name_is_refused(located) -> None:
    folder, _ = located
    other = folder / "other"
    other.mkdir()
    write_video(other / "walk.mp4", [15 * i for i in range(24)], size=(64, 64))
    with pytest.raises(InputError, match="SHA-256 differs"):
        run_export(ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "j"), videos=[str(other)]))
    said = run_export(ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "j"), videos=[str(other), str(folder / "clips é")]))
    assert said["frames"] == 11
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"walk\.mp4 was not found"):
        run_export(ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "k"), videos=[str(empty)]))
    assert not (folder / "k").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "nothing to write"),
        ({"frames": "f"}, "was not found: give it"),
        ({"frames": "f", "videos": ["/no/such"]}, "/no/such is not there"),
        ({"kml": "/no/such/o.kml"}, "does not exist"),
        ({"csv": "o.csv", "least_confidence": 2.0}, "no probability"),
        ({"csv": "o.csv", "quality": 0}, "quality"),
    ],
)
def test_bad_exports_are_one_sentence(located, changes, said) -> None:
    with pytest.raises(InputError, match=said) as raised:
        run_export(ExportArguments(str(located[0] / "walk.gpkg"), **changes))
    assert str(raised.value).count(". ") == 0


def test_a_stopped_export_leaves_whole_pictures(located) -> None:
    folder, _ = located
    steps = []
    with pytest.raises(CancelledError):
        run_export(
            ExportArguments(str(folder / "walk.gpkg"), frames=str(folder / "j"), videos=[str(folder)]),
            feedback=Feedback(steps.append, lambda: len(steps) > 5),
        )  # fmt: skip
    left = list((folder / "j").iterdir())
    assert 0 < len(left) < 11
    for path in left:
        with Image.open(path) as image:
            image.load()


def test_the_video_that_an_export_finds_by_itself_is_never_replaced(located) -> None:
    folder, result = located
    beside = folder / "walk.mp4"
    beside.write_bytes(result.info.path.read_bytes())
    arguments = ExportArguments(str(folder / "walk.gpkg"), kml=str(beside), frames=str(folder / "j"), overwrite=True)
    with pytest.raises(InputError, match=r"walk\.mp4 is also an input of this call"):
        run_export(arguments)
    assert source_digest(beside) == result.sha256
    assert not (folder / "j").exists()
