"""What is handed over of a video: where it was taken, frame by frame, by what, and what that is worth; before it is a page or a PDF.

No truth is in it, and no probability that nothing has calibrated.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from ..geodesy import WGS84, geodesic_m
from ..types import FloatArray, FrameState, Match, Provenance, TimeSource, VideoResult
from .columns import base_time, clean, time_known
from .map_picture import write_map
from .matches_table import attribution
from .place_names import place_text, places_of
from .tables import located_mask
from .verdict_text import verdict_sentence

PICTURE_PX = 480
BOX = 220
"""Width and height of a drawing, in its own units."""
_SHOWN_SETTINGS = ("rate_hz", "from_s", "to_s", "resolution_m", "grid", "decoder", "motion", "always_answer", "reference", "roads", "seed")
_STATES = {
    FrameState.DAMAGED: "The video is damaged here.",
    FrameState.OUTSIDE_AOI: "No place: by all that is known, the video was not taken in the searched area.",
    FrameState.UNFAMILIAR: "No place: it looks unlike all that the model knows.",
    FrameState.UNKNOWN_GROUND: "No place: the model knows nothing of the searched ground.",
}


@dataclass(frozen=True)
class Case:
    """What whoever hands it over says. All may be empty.

    Args:
        number: of the case.
        source_url: where the video is from. It becomes a link where it is http or https, and is never fetched.
        analyst: who hands it over.
    """

    number: str = ""
    source_url: str = ""
    analyst: str = ""


@dataclass(frozen=True)
class CaseFrame:
    """A frame that the page shows.

    Args:
        row: of the trajectory.
        picture: JPEG; None where the video was not found or is damaged there.
        said: what a person said of it, a line each: judgements and pins.
    """

    row: int
    picture: bytes | None = None
    said: tuple[str, ...] = ()


def chosen_rows(result: VideoResult, most: int) -> list[int]:
    """Rows of the frames that a page shows: evenly over the video, with its least sure one, in the order of time."""
    count = len(result.trajectory.time_s)
    if not count or most < 1:
        return []
    rows = set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist())
    confidence = result.trajectory.confidence
    if np.isfinite(confidence).any() and (least := int(np.nanargmin(confidence))) not in rows:
        inner = sorted(rows)[1:-1]
        rows -= {min(inner, key=lambda row: abs(row - least))} if inner else set()
        rows.add(least)
    return sorted(rows)


def small_jpeg(image: NDArray[np.uint8]) -> bytes:
    """A frame (height, width, 3) as a JPEG of ``PICTURE_PX`` at most."""
    picture, file = Image.fromarray(image), io.BytesIO()
    picture.thumbnail((PICTURE_PX, PICTURE_PX))
    picture.save(file, format="JPEG", quality=82)
    return file.getvalue()


@dataclass(frozen=True)
class Fact:
    """A line of a table.

    Args:
        name, value: plain text.
        link: address that the value leads to, empty where it leads nowhere.
        code: whether the value is a digest.
    """

    name: str
    value: str
    link: str = ""
    code: bool = False


@dataclass(frozen=True)
class Drawing:
    """The way, a frame's regions and its place, north up, in a square of ``BOX``: x to the right, y down. Drawn by ourselves, without anybody's tiles.

    Args:
        regions: colour, and rings (N, 2), holes among them, of each region; the larger one first.
        way: (N, 2).
        place: of the frame; None where it has none.
        width_m: of the square.
    """

    regions: tuple[tuple[str, tuple[FloatArray, ...]], ...]
    way: FloatArray
    place: tuple[float, float] | None
    width_m: float

    @property
    def scale(self) -> str:
        """How wide it is, in words."""
        return f"{self.width_m:,.0f} m wide, north up"


@dataclass(frozen=True)
class Reference:
    """A reference image that speaks for a place: its JPEG, if any, and what is said of it."""

    picture: bytes | None
    text: str


@dataclass(frozen=True)
class Figure:
    """A frame: its JPEG, if any, its drawing, if it can be drawn, facts, and reference images that speak for its place."""

    picture: bytes | None
    drawing: Drawing | None
    facts: tuple[Fact, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class CaseContent:
    """All that is handed over of a video, in the order in which it is told.

    Args:
        name: of the video.
        title, answer: what is asked, and the answer in sentences.
        case: its facts.
        map_png: the way on the area; None where there is nothing to draw.
        about_frames: which frames these are.
        figures: they.
        method: facts on how the place was found.
        caveats: sentences.
    """

    name: str
    title: str
    answer: tuple[str, ...]
    case: tuple[Fact, ...]
    map_png: bytes | None
    about_frames: str
    figures: tuple[Figure, ...]
    method: tuple[Fact, ...]
    caveats: tuple[str, ...]


def case_content(
    result: VideoResult,
    provenance: Provenance,
    frames: Sequence[CaseFrame],
    case: Case,
    *,
    aoi: Any | None = None,
    notes: Sequence[str] = (),
) -> CaseContent:
    """What is handed over of a video.

    Args:
        result: the video.
        provenance: of the result.
        frames: that are shown.
        case: what is said of the case.
        aoi: outline of the searched area.
        notes: caveats besides those that the result itself gives.
    """
    t, name = result.trajectory, clean(result.info.name)
    places = places_of(t.lat_deg, t.lon_deg)
    about = (
        f"{len(frames)} of {len(t.time_s)} frames, evenly over the video, with the least sure one. Where a frame is rated, the regions that hold its true "
        "place with 50 % (dark) and 90 % (light) are drawn."
    )
    return CaseContent(
        name,
        f"Where was {name} taken?",
        tuple(sentence for sentence in (_answer(result), verdict_sentence(result), *notes) if sentence),
        tuple(_case_facts(result, case)),
        _map(result, aoi),
        about,
        tuple(_figure(result, frame, place_text(places[frame.row], t.street[frame.row] if len(t.street) else "")) for frame in frames),
        tuple(_method(result, provenance)),
        tuple(_caveats(result)),
    )


def _answer(result: VideoResult) -> str:
    t = result.trajectory
    located = int(located_mask(t).sum())
    said = f"{located} of {len(t.time_s)} frames have a place"
    rated = t.confidence[np.isfinite(t.confidence)]
    if len(rated):
        said += f"; on average the true place lies within {t.confidence_radius_m:g} m of it with {rated.mean():.0%}"
    elif located:
        said += "; nothing has calibrated a probability for them, so none is shown"
    return f"{said}.{' A person has corrected the way with pins.' if result.pinned else ''}"


def _case_facts(result: VideoResult, case: Case) -> list[Fact]:
    info = result.info
    start = f"{base_time(result):%Y-%m-%d %H:%M:%S} UTC ({info.time_source.value.replace('_', ' ')})" if time_known(result) else "not known"
    link = case.source_url if urlsplit(case.source_url).scheme in ("http", "https") else ""
    rows = [
        Fact("Case", clean(case.number)), Fact("Source", clean(case.source_url), link=link), Fact("Handed over by", clean(case.analyst)),
        Fact("Video", clean(info.path.name)), Fact("SHA-256", result.sha256 or "", code=True), Fact("Size", f"{info.width_px} × {info.height_px} px"),
        Fact("Length", "" if info.duration_s is None else f"{info.duration_s:.1f} s"), Fact("Begins", start),
    ]  # fmt: skip
    return [row for row in rows if row.value]


def _method(result: VideoResult, provenance: Provenance) -> list[Fact]:
    settings = ", ".join(
        f"{name} {provenance.settings[name]}" for name in _SHOWN_SETTINGS if provenance.settings.get(name) not in (None, "", False)
    )
    checkpoint = " ".join(str(provenance.checkpoint.get(name, "")) for name in ("name", "preset"))
    gallery = provenance.gallery
    rows = [
        Fact("Method", "VidTAG: frames are compared with candidate places over the area, and the camera's way is decoded from all frames together."),
        Fact("Model", clean(checkpoint)), Fact("Model's SHA-256", str(provenance.checkpoint.get("sha256", "")), code=True),
        Fact("Candidate places", f"{gallery.get('count', '')} at {gallery.get('resolution_m', '')} m"), Fact("Settings", clean(settings)),
        Fact("Versions", ", ".join(f"{name} {version}" for name, version in provenance.versions.items())),
        Fact("Made", f"{provenance.created_utc:%Y-%m-%d %H:%M} UTC"), Fact("Pictures of others", attribution([result])),
    ]  # fmt: skip
    return [row for row in rows if row.value]


def _caveats(result: VideoResult) -> list[str]:
    said = [
        "Places are estimated from the pictures alone. A confidence is a probability that was calibrated on other videos; it is no proof.",
    ]
    if np.isfinite(result.trajectory.confidence).any():
        region = (
            "A region holds the true place with the probability that it names, averaged over videos like those that it was calibrated on."
        )
        said.append(region)
    else:
        said.append("Nothing has calibrated probabilities for this video: its places are not rated.")
    if result.info.time_source is TimeSource.SYNTHETIC:
        said.append("The video does not say when it was taken: times are seconds after its start.")
    return said


def _figure(result: VideoResult, frame: CaseFrame, named: str) -> Figure:
    t, row = result.trajectory, frame.row
    moment = f"{t.time_s[row]:.1f} s"
    if time_known(result):
        moment += f", {base_time(result) + timedelta(seconds=float(t.time_s[row])):%H:%M:%S} UTC"
    facts = [
        Fact(f"Frame {int(t.frame_index[row])}", moment),
        *_place_facts(result, row, named),
        *(Fact("Said", sentence) for sentence in frame.said),
    ]
    references = [_reference(match) for match in result.matches if match.frame_index == t.frame_index[row] and match.rank <= 3]
    return Figure(frame.picture, _drawing(result, row), tuple(facts), tuple(references))


def _place_facts(result: VideoResult, row: int, named: str) -> list[Fact]:
    t = result.trajectory
    if not math.isfinite(t.lat_deg[row]):
        return [Fact("Place", _STATES.get(t.state[row], "none"))]
    confidence = f"{t.confidence[row]:.0%} within {t.confidence_radius_m:g} m" if math.isfinite(t.confidence[row]) else "not rated"
    facts = [Fact("Place", f"{t.lat_deg[row]:.6f}, {t.lon_deg[row]:.6f}"), Fact("About", clean(named)), Fact("Confidence", confidence)]
    found = t.hypotheses
    if found is not None:
        region = found.region90[row] if math.isfinite(t.confidence[row]) else None
        facts.append(Fact("90 % region", "" if region is None else f"{_km2(region):,.3g} km²"))
        if math.isfinite(found.runner_up_lat_deg[row]):
            there = float(found.runner_up_lat_deg[row]), float(found.runner_up_lon_deg[row])
            away_m = float(geodesic_m(np.array(t.lat_deg[row]), np.array(t.lon_deg[row]), np.array(there[0]), np.array(there[1])))
            facts.append(Fact("Next best", f"{there[0]:.6f}, {there[1]:.6f}, {away_m:,.0f} m away"))
    return [fact for fact in facts if fact.value]


def _reference(match: Match) -> Reference:
    said = ", ".join(
        filter(None, [clean(match.source), clean(match.author), clean(match.licence), match.taken, f"similarity {match.similarity:.2f}"])
    )
    return Reference(match.thumbnail or None, f"Reference image {match.rank}: {said}")


def _drawing(result: VideoResult, row: int) -> Drawing | None:
    """The frame on the way; None where nothing has a place."""
    t, found = result.trajectory, result.trajectory.hypotheses
    known = np.isfinite(t.lat_deg)
    rated = found is not None and math.isfinite(t.confidence[row])
    both = [] if found is None or not rated else [(found.region90[row], "#b9d3ea"), (found.region50[row], "#5b93c5")]
    regions = [(shape, colour) for shape, colour in both if shape is not None]
    points = np.concatenate(
        [np.column_stack([t.lon_deg[known], t.lat_deg[known]]), *(shapely.get_coordinates(shape) for shape, _ in regions)]
    )
    if not len(points):
        return None
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    scale = np.array([math.cos(math.radians(float(middle[1]))), 1.0])
    span = float(((points - middle) * scale).max() - ((points - middle) * scale).min()) or 1e-4

    def at(lon_lat: FloatArray) -> FloatArray:
        spots: FloatArray = (lon_lat - middle) * scale * (0.9 * BOX / span) * (1.0, -1.0) + BOX / 2.0
        return spots

    place = tuple(at(np.array([[t.lon_deg[row], t.lat_deg[row]]]))[0].tolist()) if known[row] else None
    return Drawing(
        tuple((colour, tuple(at(ring) for ring in _rings(shape))) for shape, colour in regions),
        at(np.column_stack([t.lon_deg[known], t.lat_deg[known]])),
        place,
        span / 0.9 * 111_320.0,
    )


def _rings(shape: Any) -> list[FloatArray]:
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return [shapely.get_coordinates(ring) for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]


def _map(result: VideoResult, aoi: Any | None) -> bytes | None:
    if aoi is None and not located_mask(result.trajectory).any():
        return None
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        picture = Path(folder) / "map.png"
        write_map(picture, [result], aoi=aoi)
        return picture.read_bytes()


def _km2(shape: Any) -> float:
    return abs(float(WGS84.geometry_area_perimeter(shape)[0])) / 1e6
