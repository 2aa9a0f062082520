"""A video of a result as one page to hand over: where it was taken, frame by frame, by what, and what that is worth. It asks for nothing from outside.

The page holds its pictures and its drawings; it has no script, and its policy forbids every connection.
"""

from __future__ import annotations

import base64
import hashlib
import html
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

from ..atomic import write_text
from ..file_marks import mark_of
from ..geodesy import WGS84, geodesic_m
from ..types import FloatArray, FrameState, Match, Provenance, TimeSource, VideoResult
from .columns import base_time, clean, time_known
from .map_picture import write_map
from .matches_table import attribution
from .place_names import place_text, places_of
from .tables import located_mask
from .verdict_text import verdict_sentence

PICTURE_PX = 480
_BOX = 220
_SHOWN_SETTINGS = ("rate_hz", "from_s", "to_s", "resolution_m", "grid", "decoder", "motion", "always_answer", "reference", "roads", "seed")
_STATES = {
    FrameState.DAMAGED: "The video is damaged here.",
    FrameState.OUTSIDE_AOI: "No place: by all that is known, the video was not taken in the searched area.",
    FrameState.UNFAMILIAR: "No place: it looks unlike all that the model knows.",
    FrameState.UNKNOWN_GROUND: "No place: the model knows nothing of the searched ground.",
}
_STYLE = """:root{color-scheme:light dark;--ink:#222;--soft:#555;--ground:#fff;--line:#ccc;--raised:#f5f5f2}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#aaa;--ground:#17191c;--line:#44484d;--raised:#24272b}}
*{box-sizing:border-box}body{font:16px/1.5 sans-serif;max-width:70em;margin:1.5em auto;padding:0 1em;color:var(--ink);background:var(--ground)}
h1{font-size:1.6em;overflow-wrap:anywhere}h2{font-size:1.2em;margin-top:1.6em}img{max-width:100%;height:auto}
table{border-collapse:collapse}th,td{border-bottom:1px solid var(--line);padding:.25em .8em .25em 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:normal;color:var(--soft);white-space:nowrap}figure{margin:1em 0;padding:1em;background:var(--raised);break-inside:avoid}
.frame{display:flex;flex-wrap:wrap;gap:1em}.frame>*{flex:1 1 14em}.frame>img,.frame>svg{flex:0 1 auto;max-width:30em}figcaption{margin-top:.5em}
.match{display:flex;gap:.6em;align-items:flex-start;font-size:.875em;color:var(--soft)}.match img{width:8em}.soft{color:var(--soft)}
svg{background:#fbfbf8;border:1px solid var(--line)}@media print{:root{--ink:#000;--ground:#fff;--raised:#fff}body{max-width:none}}"""


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


def write_case_page(
    path: Path,
    result: VideoResult,
    provenance: Provenance,
    frames: Sequence[CaseFrame],
    case: Case,
    *,
    aoi: Any | None = None,
    notes: Sequence[str] = (),
    overwrite: bool = False,
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: an .html.
        result: the video.
        provenance: of the result.
        frames: that are shown.
        case: what is said of the case.
        aoi: outline of the searched area.
        notes: caveats besides those that the result itself gives.
        overwrite: replace what is there also where it is no such page of this tool.

    Raises:
        InputError: it cannot be written.
    """
    name = clean(result.info.name)
    places = places_of(result.trajectory.lat_deg, result.trajectory.lon_deg)
    body = [
        f"<h1>Where was {_h(name)} taken?</h1>",
        f"<p>{_h(_answer(result))}</p>",
        *(f"<p>{_h(sentence)}</p>" for sentence in (verdict_sentence(result), *notes) if sentence),
        "<h2>The case</h2>", _facts(_case_facts(result, case)),
        "<h2>The way</h2>", _map(result, aoi),
        "<h2>Frame by frame</h2>",
        f'<p class="soft">{len(frames)} of {len(result.trajectory.time_s)} frames, evenly over the video, with the least sure one. Where a frame is rated, the '
        "regions that hold its true place with 50 % (dark) and 90 % (light) are drawn.</p>",
        *(_figure(result, frame, place_text(places[frame.row], result.trajectory.street[frame.row] if len(result.trajectory.street) else "")) for frame in frames),
        "<h2>How it was found</h2>", _facts(_method(result, provenance)),
        "<h2>What to bear in mind</h2>", "<ul>" + "".join(f"<li>{_h(sentence)}</li>" for sentence in _caveats(result)) + "</ul>",
    ]  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode("utf-8")).digest()).decode("ascii")
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{mark_of("page")}">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">"
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{_h(name)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
    write_text(path, page, "page", overwrite=overwrite)


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


def _case_facts(result: VideoResult, case: Case) -> list[tuple[str, str]]:
    info = result.info
    start = f"{base_time(result):%Y-%m-%d %H:%M:%S} UTC ({info.time_source.value.replace('_', ' ')})" if time_known(result) else "not known"
    link = case.source_url if urlsplit(case.source_url).scheme in ("http", "https") else ""
    source = f'<a rel="noreferrer" href="{_h(link)}">{_h(case.source_url)}</a>' if link else _h(clean(case.source_url))
    rows = [
        ("Case", _h(clean(case.number))), ("Source", source), ("Handed over by", _h(clean(case.analyst))), ("Video", _h(clean(info.path.name))),
        ("SHA-256", f"<code>{_h(result.sha256)}</code>"), ("Size", f"{info.width_px} × {info.height_px} px"),
        ("Length", "" if info.duration_s is None else f"{info.duration_s:.1f} s"), ("Begins", start),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value]


def _method(result: VideoResult, provenance: Provenance) -> list[tuple[str, str]]:
    settings = ", ".join(
        f"{name} {provenance.settings[name]}" for name in _SHOWN_SETTINGS if provenance.settings.get(name) not in (None, "", False)
    )
    checkpoint = " ".join(str(provenance.checkpoint.get(name, "")) for name in ("name", "preset"))
    gallery = provenance.gallery
    rows = [
        ("Method", "VidTAG: frames are compared with candidate places over the area, and the camera's way is decoded from all frames together."),
        ("Model", _h(clean(checkpoint))), ("Model's SHA-256", f"<code>{_h(str(provenance.checkpoint.get('sha256', '')))}</code>"),
        ("Candidate places", _h(f"{gallery.get('count', '')} at {gallery.get('resolution_m', '')} m")), ("Settings", _h(clean(settings))),
        ("Versions", _h(", ".join(f"{name} {version}" for name, version in provenance.versions.items()))),
        ("Made", f"{provenance.created_utc:%Y-%m-%d %H:%M} UTC"), ("Pictures of others", _h(attribution([result]))),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value]


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


def _figure(result: VideoResult, frame: CaseFrame, named: str) -> str:
    t, row = result.trajectory, frame.row
    picture = (
        f'<img alt="The frame" src="data:image/jpeg;base64,{_b64(frame.picture)}">' if frame.picture else '<p class="soft">No picture.</p>'
    )
    moment = f"{t.time_s[row]:.1f} s"
    if time_known(result):
        moment += f", {base_time(result) + timedelta(seconds=float(t.time_s[row])):%H:%M:%S} UTC"
    facts = [(f"Frame {int(t.frame_index[row])}", moment), *_place_facts(result, row, named)]
    facts += [("Said", _h(sentence)) for sentence in frame.said]
    matches = "".join(_match(match) for match in result.matches if match.frame_index == t.frame_index[row] and match.rank <= 3)
    return f'<figure><div class="frame">{picture}{_drawing(result, row)}<div>{_facts(facts)}{matches}</div></div></figure>'


def _place_facts(result: VideoResult, row: int, named: str) -> list[tuple[str, str]]:
    t = result.trajectory
    if not math.isfinite(t.lat_deg[row]):
        return [("Place", _STATES.get(t.state[row], "none"))]
    confidence = f"{t.confidence[row]:.0%} within {t.confidence_radius_m:g} m" if math.isfinite(t.confidence[row]) else "not rated"
    facts = [("Place", f"{t.lat_deg[row]:.6f}, {t.lon_deg[row]:.6f}"), ("About", _h(clean(named))), ("Confidence", confidence)]
    found = t.hypotheses
    if found is not None:
        region = found.region90[row] if math.isfinite(t.confidence[row]) else None
        facts.append(("90 % region", "" if region is None else f"{_km2(region):,.3g} km²"))
        if math.isfinite(found.runner_up_lat_deg[row]):
            there = float(found.runner_up_lat_deg[row]), float(found.runner_up_lon_deg[row])
            away_m = float(geodesic_m(np.array(t.lat_deg[row]), np.array(t.lon_deg[row]), np.array(there[0]), np.array(there[1])))
            facts.append(("Next best", f"{there[0]:.6f}, {there[1]:.6f}, {away_m:,.0f} m away"))
    return [(name, value) for name, value in facts if value]


def _match(match: Match) -> str:
    picture = f'<img alt="A reference image" src="data:image/jpeg;base64,{_b64(match.thumbnail)}">' if match.thumbnail else ""
    said = ", ".join(
        filter(None, [clean(match.source), clean(match.author), clean(match.licence), match.taken, f"similarity {match.similarity:.2f}"])
    )
    return f'<div class="match">{picture}<span>Reference image {match.rank}: {_h(said)}</span></div>'


def _drawing(result: VideoResult, row: int) -> str:
    """The way, the frame's regions and its place, north up; drawn by ourselves, without anybody's tiles."""
    t, found = result.trajectory, result.trajectory.hypotheses
    known = np.isfinite(t.lat_deg)
    rated = found is not None and math.isfinite(t.confidence[row])
    both = [] if found is None or not rated else [(found.region90[row], "#b9d3ea"), (found.region50[row], "#5b93c5")]
    regions = [(shape, colour) for shape, colour in both if shape is not None]
    corners = [np.column_stack([t.lon_deg[known], t.lat_deg[known]]), *(shapely.get_coordinates(shape) for shape, _ in regions)]
    points = np.concatenate(corners) if corners else np.zeros((0, 2))
    if not len(points):
        return ""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    scale = np.array([math.cos(math.radians(float(middle[1]))), 1.0])
    span = float(((points - middle) * scale).max() - ((points - middle) * scale).min()) or 1e-4

    def at(lon_lat: FloatArray) -> FloatArray:
        spots: FloatArray = (lon_lat - middle) * scale * (0.9 * _BOX / span) * (1.0, -1.0) + _BOX / 2.0
        return spots

    parts = [
        f'<path fill="{colour}" fill-rule="evenodd" d="{_rings(shape, at)}"/>' for shape, colour in regions
    ]  # fmt: skip
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in at(np.column_stack([t.lon_deg[known], t.lat_deg[known]])))
    parts.append(f'<polyline points="{way}" fill="none" stroke="#444" stroke-width="1.5"/>')
    if known[row]:
        [(x, y)] = at(np.array([[t.lon_deg[row], t.lat_deg[row]]]))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#d01c8b" stroke="#fff" stroke-width="1.5"/>')
    box_m = span / 0.9 * 111_320.0
    parts.append(f'<text x="6" y="{_BOX - 6}" font-size="11" fill="#333">{box_m:,.0f} m wide, north up</text>')
    return f'<svg role="img" aria-label="The frame on the way" width="{_BOX}" height="{_BOX}" viewBox="0 0 {_BOX} {_BOX}">{"".join(parts)}</svg>'


def _rings(shape: Any, at: Any) -> str:
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at(shapely.get_coordinates(ring))) + "Z" for ring in rings)


def _map(result: VideoResult, aoi: Any | None) -> str:
    if aoi is None and not located_mask(result.trajectory).any():
        return "<p>There is nothing to draw: the video has no place.</p>"
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        picture = Path(folder) / "map.png"
        write_map(picture, [result], aoi=aoi)
        return f'<p><img alt="Map of the way, coloured by confidence" src="data:image/png;base64,{_b64(picture.read_bytes())}"></p>'


def _km2(shape: Any) -> float:
    return abs(float(WGS84.geometry_area_perimeter(shape)[0])) / 1e6


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values; values are HTML already."""
    return "<table>" + "".join(f'<tr><th scope="row">{_h(name)}</th><td>{value}</td></tr>' for name, value in rows) + "</table>"


def _h(text: str) -> str:
    return html.escape(text)


def _b64(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode("ascii")
