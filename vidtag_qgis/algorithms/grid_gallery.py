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
from . import checks
from .base import GRIDS, VidTAGAlgorithm

_HELP = """Shows the candidate places that an area makes at a resolution: how many there are, as a layer if asked for, and how long they take.

Try it before a long run. With a checkpoint, the engine times a sample of the places and of frames on this machine and says how long the whole \
gallery and each frame will take. The gallery is computed once an area and checkpoint, and kept."""


class GridGallery(VidTAGAlgorithm):
    """Area and resolution in; points, their count and their time out."""

    ID, TITLE, TEXT = "gridgallery", "Gallery grid", _HELP
    SUMMARY = "Counts, shows and times the candidate places of an area."
    TAGS = ("grid", "points", "gallery", "candidates", "resolution", "estimate", "time")
    READS = ("AOI", "CHECKPOINT")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "gallery"}

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.area("The area to cover with candidate places.")
        self.add(
            self.number("RESOLUTION", "Grid resolution (m)", 100.0, minimum=0.1, maximum=5e6),
            "Step of the grid. Halving it makes four times as many points.",
        )
        self.add(
            QgsProcessingParameterFile(
                "CHECKPOINT", "Checkpoint (to measure time)", QgsProcessingParameterFile.Behavior.Folder, optional=True
            ),
            "The trained model, as for 'Geolocate video'. Empty: points are only counted.",
        )
        self.advanced(
            self.choice("GRID", "Grid", GRIDS),
            "Candidate places equally far from each other on the ground, or the paper's grid of degrees.",
        )
        self.advanced(
            QgsProcessingParameterBoolean("EXHAUSTIVE", "Time every grid point", defaultValue=False),
            "As 'Compare every grid point' of 'Geolocate video': otherwise a large area is timed as it is searched, coarse to fine.",
        )
        self.device()
        self.overwrite()
        points = QgsProcessing.SourceType.TypeVectorPoint
        self.add(
            QgsProcessingParameterVectorDestination("OUTPUT", "Gallery points", points, optional=True),
            "A GeoPackage with a point a candidate place. Left out: points are only counted.",
        )
        for name, text in (
            ("COUNT", "Points"), ("AREA_KM2", "Area (km²)"), ("EMBEDDED_COUNT", "Points to compute"),
            ("GALLERY_S", "Time for the gallery (s)"), ("FRAME_S", "Time for a frame (s)"),
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
                return f"The points {path} must go to a file of their own that ends in .gpkg: they are written as a GeoPackage."
            if problem := checks.check_folders([path]):
                return problem
        area = read_area(self, parameters, context, "AOI", "EXTENT")
        resolution_m = self.parameterAsDouble(parameters, "RESOLUTION", context)
        if wanted:
            written = checks.MAX_WRITTEN_POINTS
            return check_point_count(area.area_m2, resolution_m, written, "are written as a layer; leave it out to count only")
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
        result = self.ask("gallery", arguments, feedback, when_cancelled="Cancelled; no points were written.")
        for note in result["notes"]:
            feedback.pushInfo(note)
        feedback.pushInfo(f"{result['count']:,} candidate places on {result['area_m2'] / 1e6:,.2f} km².")
        outputs: dict[str, Any] = {"COUNT": result["count"], "AREA_KM2": result["area_m2"] / 1e6}
        if time := result["time"]:
            remember_rate(time["embedded_points"], time["gallery_s"])
            feedback.pushInfo(
                f"On this machine ({time['device']}): about {time['gallery_s']:,.0f} s once for {time['embedded_points']:,} places, "
                f"and about {time['frame_s']:.2f} s a frame."
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
