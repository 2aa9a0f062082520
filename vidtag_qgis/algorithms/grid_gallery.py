"""The Processing algorithm "Gallery grid"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterVectorDestination,
)

from ..aoi import read_area
from ..area_estimate import check_point_count, remember_rate
from ..engine_client.command_arguments import GalleryArguments
from ..layers import finish_on_load
from ..translation import mark, tr
from . import checks
from .base import GRIDS, VidTAGAlgorithm

_HELP = mark("""Shows the candidate places that an area makes at a resolution: how many there are, as a layer if asked for, and how long they take.

Try it before a long run. With a checkpoint, the engine times a sample of the places and of frames on this machine and says how long the whole \
gallery and each frame will take. The gallery is computed once an area and checkpoint, and kept.""")


class GridGallery(VidTAGAlgorithm):
    """Area and resolution in; points, their count and their time out."""

    ID, TITLE, TEXT = "gridgallery", mark("Gallery grid"), _HELP
    SUMMARY = mark("Counts, shows and times the candidate places of an area.")
    TAGS = ("grid", "points", "gallery", "candidates", "resolution", "estimate", "time")
    READS = ("AOI", "CHECKPOINT")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "gallery"}

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.area(tr("The area to cover with candidate places."))
        self.add(
            self.number("RESOLUTION", tr("Grid resolution (m)"), 100.0, minimum=0.1, maximum=5e6),
            tr("Step of the grid. Halving it makes four times as many points."),
        )
        self.add(
            QgsProcessingParameterFile(
                "CHECKPOINT", tr("Checkpoint (to measure time)"), QgsProcessingParameterFile.Behavior.Folder, optional=True
            ),
            tr("The trained model, as for 'Geolocate video'. Empty: points are only counted."),
        )
        self.advanced(
            self.choice("GRID", tr("Grid"), GRIDS),
            tr("Candidate places equally far from each other on the ground, or the paper's grid of degrees."),
        )
        self.advanced(
            QgsProcessingParameterBoolean("EXHAUSTIVE", tr("Time every grid point"), defaultValue=False),
            tr("As 'Compare every grid point' of 'Geolocate video': otherwise a large area is timed as it is searched, coarse to fine."),
        )
        self.device()
        self.overwrite()
        points = QgsProcessing.SourceType.TypeVectorPoint
        self.add(
            QgsProcessingParameterVectorDestination("OUTPUT", tr("Gallery points"), points, optional=True),
            tr("A GeoPackage with a point a candidate place. Left out: points are only counted."),
        )
        for name, text in (
            ("COUNT", tr("Points")), ("AREA_KM2", tr("Area (km²)")), ("EMBEDDED_COUNT", tr("Points to compute")),
            ("GALLERY_S", tr("Time for the gallery (s)")), ("FRAME_S", tr("Time for a frame (s)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        checkpoint = self._checkpoint(parameters, context)
        wanted = parameters.get("OUTPUT") not in (None, "")
        # Asking QGIS for the path would make up a temporary one and have it loaded, at each check.
        path, table = checks.target_of(parameters.get("OUTPUT")) or ("points.gpkg", "")
        if problem := checks.check_checkpoint(checkpoint) if checkpoint else None:
            return problem
        if wanted:
            if table or not path.lower().endswith(".gpkg"):
                return tr(
                    "The points {path} must go to a file of their own that ends in .gpkg: they are written as a GeoPackage.", path=path
                )
            if problem := checks.check_folders([path]):
                return problem
        area = read_area(self, parameters, context, "AOI", "EXTENT")
        resolution_m = self.parameterAsDouble(parameters, "RESOLUTION", context)
        if wanted:
            return check_point_count(area.area_m2, resolution_m, checks.MAX_WRITTEN_POINTS, written=True)
        return check_point_count(area.area_m2, resolution_m)

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine."""
        area = read_area(self, parameters, context, "AOI", "EXTENT")
        output = self._output(parameters, context)
        if output:
            os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
        arguments = GalleryArguments(
            aoi=area.text,
            aoi_crs=area.crs,
            output=os.path.abspath(output) if output else None,
            resolution_m=self.parameterAsDouble(parameters, "RESOLUTION", context),
            grid=self.chosen(parameters, "GRID", context),
            checkpoint=self._checkpoint(parameters, context) or None,
            exhaustive=self.parameterAsBoolean(parameters, "EXHAUSTIVE", context),
            device=self.chosen(parameters, "DEVICE", context),
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
        )
        result = self.ask("gallery", arguments, feedback, when_cancelled=tr("Cancelled; no points were written."))
        for note in result["notes"]:
            feedback.pushInfo(self.words()(note))
        feedback.pushInfo(tr("{count:,} candidate places on {area:,.2f} km².", count=result["count"], area=result["area_m2"] / 1e6))
        outputs: dict[str, Any] = {"COUNT": result["count"], "AREA_KM2": result["area_m2"] / 1e6}
        if time := result["time"]:
            remember_rate(time["embedded_points"], time["gallery_s"])
            feedback.pushInfo(
                tr(
                    "On this machine ({device}): about {gallery_s:,.0f} s once for {embedded_points:,} places, and about {frame_s:.2f} s a frame.",
                    device=time["device"],
                    gallery_s=time["gallery_s"],
                    embedded_points=time["embedded_points"],
                    frame_s=time["frame_s"],
                )
            )
            outputs.update({"EMBEDDED_COUNT": time["embedded_points"], "GALLERY_S": time["gallery_s"], "FRAME_S": time["frame_s"]})
        if output:
            outputs["OUTPUT"] = output
            finish_on_load(output, "gallery", context)
        return outputs

    def _output(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return "" if parameters.get("OUTPUT") in (None, "") else self.parameterAsOutputLayer(parameters, "OUTPUT", context)

    def _checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        given = self.parameterAsString(parameters, "CHECKPOINT", context).strip()
        return os.path.abspath(given) if given and os.path.exists(given) else given
