"""What speaks for the frame that is shown: its reference images as the result keeps them, its candidate places and its posterior as the engine tells them."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsDistanceArea,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsTask,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer

from .. import engine
from ..aoi import WGS84
from ..edits import table_of
from ..engine_client import EngineError, EngineInputError
from ..engine_client.command_arguments import PlacesArguments
from ..frame_matches import FrameMatch, FrameMatches, stamp
from ..frames import FrameRow
from ..matches import match_text
from ..translation import mark, tr, translated
from ..wording import in_words, percent_text
from .evidence_panel import EvidencePanel
from .frame_view import FrameView
from .map_marks import Marker, transformed
from .place_layers import Candidate, PlaceLayers
from .tasks import Call, start

PATIENCE_MS = 300
"""After so long without an answer the places of the frame before go from list and map."""
_DEGREE_M = 111_195.0
_LEAST_SEEN_M = 100.0
_LABELS = {"KEEP_SCORES": mark("Keep scores for pins"), "OVERWRITE": mark("Overwrite"), "DECODER": mark("Frames are located")}
"""What 'Geolocate video' calls the options that the engine's sentences name."""
_CHOICES = {"DECODER": {"hmm": mark("All frames of a video together")}}


@dataclass(frozen=True)
class _Frame:
    """The frame that is shown.

    Args:
        layer_id: of the layer of frames.
        result: the GeoPackage that it is of.
        video: name.
        row: the frame.
        answer: "model" or "pinned".
        lat_lon_deg: of its answer; None where it has none.
    """

    layer_id: str
    result: str
    video: str
    row: FrameRow
    answer: str
    lat_lon_deg: Optional[tuple[float, float]]


class FrameEvidence(QObject):
    """Follows the frame that is shown. Its panel is put below the frame's picture; nothing is asked of the engine before 'Candidate places' is pressed.

    Args:
        canvas: the map.
        view: the viewer's widgets.
        parent: of the Qt object.
    """

    def __init__(self, canvas: QgsMapCanvas, view: FrameView, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas, self._view = canvas, view
        self.panel = EvidencePanel(view)
        self.layers = PlaceLayers()
        self.marker: Optional[Marker] = None  # while it points at something
        self._awake = False
        self.images: list[FrameMatch] = []
        self.candidates: list[Candidate] = []
        self._radius_m = 0.0
        self._frame: Optional[_Frame] = None
        self._shown: Optional[_Frame] = None
        self._matches = FrameMatches("")
        self._task: Optional[Call] = None
        self._wants_posterior: Optional[_Frame] = None
        self._folder = ""
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self._is_late)
        self._wgs84 = QgsCoordinateReferenceSystem(WGS84)
        self.panel.image_chosen.connect(self.choose_image)
        self.panel.place_chosen.connect(self.choose_place)
        self.panel.wanted.connect(self._wanted)
        self.panel.posterior_asked.connect(self.ask_posterior)

    def wake(self) -> None:
        """The window is open."""
        if self._awake:
            return
        self._awake = True
        QgsProject.instance().readProject.connect(self._project_read)
        self.layers.remove()  # what a project was saved with is empty by now
        self._folder = tempfile.mkdtemp(prefix="vidtag-posterior-")

    def rest(self) -> None:
        """The window is closed: take everything off the map."""
        if not self._awake:
            return
        self._awake = False
        QgsProject.instance().readProject.disconnect(self._project_read)
        self.panel.places_button.setChecked(False)
        self.layers.remove()
        self._mark(None)
        self._frame = self._wants_posterior = None
        if self._task is not None:
            self._task.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = ""

    def look_at(self, layer: Optional[QgsVectorLayer], result: str, video: str, row: Optional[FrameRow]) -> None:
        """From now on speak of this frame; None for none.

        Args:
            layer: of frames.
            result: the GeoPackage that it is of; empty where that is not known.
            video: name.
            row: the frame.
        """
        if layer is None or row is None:
            frame = None
        else:
            answer = "pinned" if table_of(layer) == "frames_pinned" else "model"
            frame = _Frame(layer.id(), result, video, row, answer, self._degrees(row, layer))
        if frame == self._frame and (frame is None or self._matches.stamp == stamp(frame.result)):
            return
        self._frame = frame
        self._mark(None)
        self._show_images()
        self._ask()

    # Reference images.

    def _show_images(self) -> None:
        frame = self._frame
        if frame is not None and (self._matches.geopackage != frame.result or self._matches.stamp != stamp(frame.result)):
            self._matches = FrameMatches(frame.result)
        self.images = [] if frame is None else self._matches.of_frame(frame.video, frame.row.index)
        self.panel.show_images([(one.match.thumbnail, self._caption(one), self._said_of(one)) for one in self.images])

    def choose_image(self, number: int) -> None:
        """Show an image beside the frame's picture, and mark on the map where it was taken."""
        if not 0 <= number < len(self.images):
            return
        one = self.images[number]
        self._view.show_match(one.match.thumbnail, self._said_of(one))
        self._mark(one.lat_lon_deg, pan=True)

    def _caption(self, one: FrameMatch) -> str:
        """Two short lines: how alike and how far, and whose."""
        away_m = self._away_m(one.lat_lon_deg)
        named = " · ".join(filter(None, [one.match.author, one.match.licence]))
        return f"{one.match.similarity:.2f}{'' if away_m is None else f' · {_metres(away_m)}'}\n{named}"

    def _said_of(self, one: FrameMatch) -> str:
        away_m = self._away_m(one.lat_lon_deg)
        far = "" if away_m is None else "\n" + tr("{distance} from the answer").format(distance=_metres(away_m))
        return f"{match_text(one.match)}{far}"

    # Candidates.

    def _wanted(self, on: bool) -> None:
        if on:
            self._ask()
            return
        self._late.stop()
        self._shown, self.candidates, self._wants_posterior = None, [], None
        self.panel.show_places([], "")
        self.panel.tell("", "")
        self.layers.remove()

    def ask_posterior(self) -> None:
        """Draw the posterior of the frame that is shown."""
        if self._frame is None:
            return
        self._wants_posterior = self._frame
        self.panel.tell(None, tr("The posterior of frame {number} is being drawn…").format(number=self._frame.row.index))
        self._ask()

    def _ask(self) -> None:
        """Ask for what is shown now, one request at a time, the latest wish first."""
        frame = self._frame
        if not self.panel.asked or not self._awake:
            return
        if frame is None or not frame.result:
            self._show(None, "" if frame is None else tr("The result of this layer is not there, so nothing is known but its places."))
            return
        if self._task is not None or (self._shown == frame and self._wants_posterior is None):
            return
        frame, posterior = self._wants_posterior or frame, self._wants_posterior is not None
        self._wants_posterior = None
        if self._shown != self._frame:
            self.panel.wait()
            self._late.start(PATIENCE_MS)
        file = os.path.join(self._folder, f"frame-{frame.row.index}.gpkg") if posterior else None
        arguments = asdict(
            PlacesArguments(frame.result, frame.video, frame_index=frame.row.index, answer=frame.answer, posterior=file, overwrite=True)
        )
        try:
            python = engine.interpreter()
        except EngineError as error:
            self._late.stop()
            self._show(None, str(error))
            return

        def work(task: QgsTask) -> dict[str, Any]:
            return engine.request(python, "places", arguments, cancelled=task.isCanceled)

        def done(answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
            self._task = None
            self._late.stop()
            if self._awake:
                self._answered(frame, answer, error, drawn=posterior)
                self._ask()  # another frame may be shown by now

        self._task = Call(tr("VidTAG: candidate places"), work)
        self._task.done.connect(done)
        start(self._task)

    def _answered(self, frame: _Frame, answer: Optional[dict[str, Any]], error: Optional[EngineError], *, drawn: bool) -> None:
        if not self.panel.asked:
            return
        if frame == self._frame:
            self._shown = frame
            self._show(answer, "" if error is None else _in_words(error))
        if drawn:
            self._drawn(frame, answer, "" if error is None else _in_words(error))

    def _show(self, answer: Optional[dict[str, Any]], why: str) -> None:
        """The candidates of the frame that is shown, or why there are none."""
        frame = self._frame
        self.candidates = [] if answer is None else [self._candidate(one, answer) for one in answer["candidates"]]
        self._radius_m = 0.0 if answer is None else answer["radius_m"]
        said = why if answer is None else _summary(answer)
        self.panel.show_places([(one.said, one.picture) for one in self.candidates], said)
        layer = None if frame is None else QgsProject.instance().mapLayer(frame.layer_id)
        if self.candidates and frame is not None and isinstance(layer, QgsVectorLayer):
            self.layers.show_candidates(layer, frame.video, frame.row.index, self._radius_m, self.candidates)
        else:
            self.layers.clear_candidates()

    def _candidate(self, one: dict[str, Any], answer: dict[str, Any]) -> Candidate:
        place = one["lat_deg"], one["lon_deg"]
        share = percent_text(one["share"]) or tr("not rated")
        within = "" if one["share"] is None else " " + tr("within {radius:g} m").format(radius=answer["radius_m"])
        away_m = None if one["answer"] else self._away_m(place)
        rest = (
            tr("the answer")
            if one["answer"]
            else ""
            if away_m is None
            else tr("{distance} from the answer").format(distance=_metres(away_m))
        )
        said = " · ".join(filter(None, [f"{one['rank']}: {share}{within}", rest]))
        picture = b"" if one["reference"] is None else self._matches.picture(one["reference"]["fid"])
        return Candidate(one["rank"], *place, one["share"], one["answer"], f"{one['rank']} · {share}", said, picture)

    def _drawn(self, frame: _Frame, answer: Optional[dict[str, Any]], why: str) -> None:
        written = None if answer is None else answer["posterior"]
        layer = QgsProject.instance().mapLayer(frame.layer_id)
        if answer is None or written is None:
            self.panel.tell(None, why or (answer["why"] if answer is not None else ""))
            return
        there = isinstance(layer, QgsVectorLayer) and self.layers.show_posterior(layer, frame.video, frame.row.index, written["file"])
        self.panel.tell(None, _posterior_text(frame.row.index, answer) if there else tr("The posterior could not be read: draw it again."))

    def _is_late(self) -> None:
        """The video is being decoded: what is shown is of another frame."""
        self._shown, self.candidates = None, []
        self.panel.show_places([], tr("The video is being decoded from its kept scores…"))
        self.layers.clear_candidates()

    def choose_place(self, number: int) -> None:
        """Show a candidate on the map, with some ground about it."""
        if not 0 <= number < len(self.candidates) or not self._awake:
            return
        one = self.candidates[number]
        reach = max(3.0 * self._radius_m, _LEAST_SEEN_M) / _DEGREE_M
        wide = reach / max(math.cos(math.radians(one.lat_deg)), 0.01)
        box = QgsRectangle(one.lon_deg - wide, one.lat_deg - reach, one.lon_deg + wide, one.lat_deg + reach)
        system = self._canvas.mapSettings().destinationCrs()
        try:
            self._canvas.setExtent(QgsCoordinateTransform(self._wgs84, system, QgsProject.instance()).transformBoundingBox(box))
            self._canvas.refresh()
        except QgsCsException:  # the map's system does not reach there
            self.panel.tell(tr("The map's coordinate system does not reach this place."), None)
        self._mark((one.lat_deg, one.lon_deg))

    def _project_read(self, *_: Any) -> None:
        self.layers.remove()

    # Places.

    def _mark(self, place: Optional[tuple[float, float]], *, pan: bool = False) -> None:
        """Point at a place of the map; None at nothing."""
        if place is not None and self._awake:
            self.marker = self.marker or Marker(self._canvas, "#0072b2", square=True)
            self.marker.show_at(QgsPointXY(place[1], place[0]), self._wgs84, pan=pan)
        elif self.marker is not None:
            self.marker.remove()
            self.marker = None

    def _degrees(self, row: FrameRow, layer: QgsVectorLayer) -> Optional[tuple[float, float]]:
        point = (
            None if row.point is None else transformed(row.point, QgsCoordinateTransform(layer.crs(), self._wgs84, QgsProject.instance()))
        )
        return None if point is None else (point.y(), point.x())

    def _away_m(self, place: Optional[tuple[float, float]]) -> Optional[float]:
        """How far a place lies from the frame's answer; None where one of them is not known."""
        own = None if self._frame is None else self._frame.lat_lon_deg
        if place is None or own is None:
            return None
        measure = QgsDistanceArea()
        measure.setEllipsoid("EPSG:7030")
        measure.setSourceCrs(self._wgs84, QgsProject.instance().transformContext())
        return float(measure.measureLine(QgsPointXY(own[1], own[0]), QgsPointXY(place[1], place[0])))


def _metres(distance_m: float) -> str:
    return f"{distance_m:.0f} m" if distance_m < 1000.0 else f"{distance_m / 1000.0:.1f} km"


def _summary(answer: dict[str, Any]) -> str:
    """What lies elsewhere, or why there is nothing."""
    if answer["why"] or not answer["rated"]:
        return answer["why"] or tr("Not rated: the places are ranked, and nothing says how likely each is.")
    said = [tr("Elsewhere {share}").format(share=percent_text(answer["elsewhere_share"]))]
    if answer["unknown_share"]:
        said.append(tr("on unknown ground or outside the area {share}").format(share=percent_text(answer["unknown_share"])))
    return ", ".join(said) + "."


def _posterior_text(frame_index: int, answer: dict[str, Any]) -> str:
    cells = f"{answer['posterior']['cells']:,}"
    if answer["posterior"]["share"] is None:
        return tr("Posterior of frame {number}: {cells} squares, ranked; not rated.").format(number=frame_index, cells=cells)
    said = tr("Posterior of frame {number}: {cells} squares hold {share} of it.").format(
        number=frame_index, cells=cells, share=f"{answer['posterior']['share']:.1%}"
    )
    unknown = answer["unknown_share"]
    rest = (
        tr("{share} lies on unknown ground or outside the area.").format(share=f"{unknown:.1%}") if unknown else tr("Nothing lies outside.")
    )
    return f"{said} {rest}"


def _in_words(error: EngineError) -> str:
    """The engine's sentence by the names that 'Geolocate video' has."""
    if not isinstance(error, EngineInputError):
        return translated(str(error))
    labels = {name: tr(text) for name, text in _LABELS.items()}
    return in_words(str(error), labels, {name: {key: tr(text) for key, text in words.items()} for name, words in _CHOICES.items()})
