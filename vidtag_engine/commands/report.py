"""A folder to hand over: a page and a PDF a video, copies for other programs, and the digests of all of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..atomic import HIDDEN
from ..export import read_answers, read_aoi, read_areas
from ..export.case_content import Case, CaseFrame, case_content, chosen_rows, small_jpeg
from ..export.case_page import write_case_page
from ..export.case_pdf import write_case_pdf
from ..export.columns import base_time, clean
from ..export.corrections import copy_database
from ..export.geojson import write_geojson
from ..export.kml import write_kml
from ..export.kmz import write_kmz
from ..export.moments import read_moments
from ..export.review_file import pins_of, review_path
from ..export.review_rows import judgements, read_review
from ..feedback import Feedback
from ..types import InputError, VideoInfo, VideoResult
from ..video import find_original, open_source
from .picture import frame_at
from .pin import row_of, video_of

if TYPE_CHECKING:
    from ..command_arguments import ReportArguments

FORMAT = "vidtag-case/1"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_NO_PICTURES = "The video was not found, so the page has no pictures: give the folder where it lies."


def run_report(arguments: ReportArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Make the folder, whole or not at all.

    Returns:
        ``folder``; ``files`` in it, by name, with ``bytes`` and ``sha256``; ``bytes`` of all; ``pages``, by video; ``missing``, videos that were not found, whose
        pages have no pictures.

    Raises:
        InputError: the result cannot be read, the folder holds something else, or it cannot be written.
        CancelledError: stopped; nothing was written.
    """
    result, folder = Path(arguments.result), Path(arguments.folder)
    if not 0 <= arguments.frames <= 200:
        raise InputError(f"{arguments.frames} frames a page cannot be shown: give 0 to 200.")
    _check_folder(folder, overwrite=arguments.overwrite)
    results, provenance = read_answers(result, arguments.answer)
    if not results:
        raise InputError(f"{result.name} holds no video that was located: there is nothing to hand over.")
    aoi, areas = read_aoi(result), read_areas(result)
    case = Case(arguments.case_id, arguments.source_url, arguments.analyst)
    feedback = feedback.saying("Stopped; nothing was written.")
    said = _what_was_said(result, results)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = folder.parent / f"{HIDDEN}case-{uuid.uuid4().hex[:12]}"
        part.mkdir()
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made ({error.strerror}): choose another.") from error
    try:
        missing: list[str] = []
        pages: dict[str, str] = {}
        shown: dict[str, list[CaseFrame]] = {}
        for number, one in enumerate(results):
            at_work = feedback.part(0.85 * number / len(results), 0.85 * (number + 1) / len(results))
            frames, there = _frames(one, result.parent, arguments, said[one.info.name], at_work)
            shown[one.info.name] = frames
            if not there:
                missing.append(clean(one.info.name))
            pages[clean(one.info.name)] = _page_name(one.info.name, set(pages.values()))
            area = areas.get(one.own.area) if one.own and one.own.area else aoi
            notes = [] if there else [_NO_PICTURES]
            page = part / pages[clean(one.info.name)]
            content = case_content(one, provenance, frames, case, aoi=area, notes=notes)
            write_case_page(page, content)
            at_work.check()
            write_case_pdf(page.with_suffix(".pdf"), content, provenance.created_utc, case)
        feedback.tell(0.9, "report", "copies")
        copy_database(result, part / "result.gpkg")
        if review_path(result).is_file():
            copy_database(review_path(result), part / "result.review.gpkg")
        write_kml(part / "result.kml", results, provenance)
        write_kmz(
            part / "result.kmz",
            results,
            provenance,
            {name: {one.row: one.picture for one in frames} for name, frames in shown.items()},
            regions=arguments.regions,
        )
        write_geojson(part / "result.geojson", results, provenance)
        files = _sealed(part, case, provenance.created_utc)
        feedback.check()
        _take_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    feedback.tell(1.0, "done", f"{len(files)} files")
    total = sum(one["bytes"] for one in files.values())
    return {"folder": str(folder), "files": files, "bytes": total, "pages": pages, "missing": missing}


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise InputError where the folder holds what must not be replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: give a folder for the case.")
    held = {one.name for one in folder.iterdir()}
    if not held:
        return
    ours, changed = _looked_at(folder)
    if not ours:
        raise InputError(f"The folder {folder} holds files already: choose another.")
    if changed:
        raise InputError(f"{changed[0]} in {folder} was changed since the case was made, and would be lost: choose another folder.")
    if not overwrite:
        raise InputError(f"The folder {folder} holds files already: give --overwrite to make it anew.")


def _looked_at(folder: Path) -> tuple[bool, list[str]]:
    """Whether the folder is a case and holds nothing else, and which of its files are not as they were made."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed = {str(one["name"]): str(one["sha256"]) for one in manifest["files"]}
        if manifest.get("format") != FORMAT or not {one.name for one in folder.iterdir()} <= {*listed, MANIFEST, SUMS}:
            return False, []
        there = {name: folder / name for name in listed if (folder / name).is_file()}
        return True, [name for name, path in there.items() if hashlib.sha256(path.read_bytes()).hexdigest() != listed[name]]
    except (OSError, ValueError, KeyError, TypeError):
        return False, []


def _take_place(part: Path, folder: Path) -> None:
    """The new folder in the place of an older case, which is put aside first."""
    aside = part.with_name(f"{part.name}.old")
    try:
        if folder.exists():
            folder.rename(aside)
        part.rename(folder)
    except OSError as error:
        if aside.exists() and not folder.exists():
            aside.rename(folder)
        raise InputError(f"The folder {folder} cannot be written ({error.strerror}): choose another.") from error
    shutil.rmtree(aside, ignore_errors=True)


def _page_name(video: str, taken: set[str]) -> str:
    """A name for a page that every file system takes."""
    stem = re.sub(r"[^\w.-]+", "_", clean(video)).strip("._") or "video"
    name, number = f"{stem}.html", 2
    while name in taken:
        name, number = f"{stem}-{number}.html", number + 1
    return name


def _frames(
    one: VideoResult, beside: Path, arguments: ReportArguments, said: dict[int, tuple[str, ...]], feedback: Feedback
) -> tuple[list[CaseFrame], bool]:
    """The frames of a page; and whether the video was found."""
    rows = sorted({*chosen_rows(one, arguments.frames), *said})
    info = _found(one, [Path(place) for place in arguments.videos], beside)
    frames = []
    for number, row in enumerate(rows):
        feedback.check()
        feedback.tell(number / max(1, len(rows)), "report", one.info.name)
        picture = None
        if info is not None:
            image = frame_at(info, float(one.trajectory.time_s[row]), feedback).image
            picture = None if image is None else small_jpeg(image)
        frames.append(CaseFrame(row, picture, said.get(row, ())))
    return frames, info is not None


def _found(one: VideoResult, places: Sequence[Path], beside: Path) -> VideoInfo | None:
    """The opened video; None where it is not there."""
    info = one.info
    try:
        path = find_original(info.path.name, one.sha256, places, (beside, Path.cwd()), images=info.kind == "images")
        return open_source(path, kind=info.kind, start_time=base_time(one))
    except InputError:
        return None


def _what_was_said(result: Path, results: Sequence[VideoResult]) -> dict[str, dict[int, tuple[str, ...]]]:
    """What people said of frames, by video and row: judgements, comments and pins."""
    review = review_path(result)
    rows, _ = read_review(review)
    said: dict[str, dict[int, list[str]]] = {one.info.name: {} for one in results}
    by_name = {one.info.name: one for one in results}
    for video in read_moments(result):
        one = by_name.get(video.name)
        if one is None:
            continue
        at = {int(index): row for row, index in enumerate(one.trajectory.frame_index)}
        held, _ = judgements(rows, video)
        told: set[int] = set()
        for index, judgement in zip(video.frame_index.tolist(), held, strict=True):
            if judgement is None or judgement.number in told or int(index) not in at:
                continue
            told.add(judgement.number)
            until = f" to {judgement.to_s:g}" if judgement.to_s > judgement.from_s else ""
            words = [f"{judgement.state}, {judgement.from_s:g}{until} s", judgement.comment, judgement.who and f"({judgement.who})"]
            said[one.info.name].setdefault(at[int(index)], []).append(" ".join(filter(None, map(clean, words))))
    for pin in pins_of(result, results):
        try:
            meant = video_of(results, pin, result.name)
            row = row_of(pin, meant)
        except InputError:
            continue  # of a video or a moment that this result does not have
        pinned = f"pin, {pin.kind}: {pin.lat_deg:.6f}, {pin.lon_deg:.6f} {clean(pin.why)}".strip()
        said[meant.info.name].setdefault(row, []).append(pinned)
    return {name: {row: tuple(lines) for row, lines in frames.items()} for name, frames in said.items()}


def _sealed(folder: Path, case: Case, created_utc: datetime) -> dict[str, dict[str, Any]]:
    """Write the manifest and the list of digests; returns the files with theirs."""
    files = {}
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        files[path.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {
        "format": FORMAT,
        "case": {name: clean(value) for name, value in asdict(case).items()},
        "written_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "result_utc": f"{created_utc.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "vidtag": __version__,
        "files": [{"name": name, **facts} for name, facts in files.items()],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    lines = [f"{facts['sha256']}  {name}" for name, facts in files.items()] + [f"{digest}  {MANIFEST}"]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    for path in folder.iterdir():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    return files
