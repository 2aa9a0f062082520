"""The Processing algorithm "Reference images as a layer"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
)

from ..aoi import Area, is_given, read_area
from ..engine_client.command_arguments import ReferenceLayerArguments
from ..layers import load_layer
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm

_HELP = mark("""Shows what a database of reference images holds, to look at before a video is geolocated by it.

The layer 'images' has a point a picture, coloured by its age, with heading, source, author and licence. The layer 'gaps' shows where the area has no picture \
within reach: no video can be recognised there.

The layers hold the place of every picture, your own too: pass them on as you would pass on your tracks.""")
TITLES = {"images": mark("Reference images"), "gaps": mark("Gaps between reference images")}


class ReferenceImages(VidTAGAlgorithm):
    """A database in, its images and the gaps between them as layers out."""

    ID, TITLE, TEXT = "referenceimages", mark("Reference images as a layer"), _HELP
    SUMMARY = mark("Shows a database's reference images, by age, and the gaps between them.")
    TAGS = ("reference", "database", "pictures", "gaps", "coverage", "age", "heading", "licence", "street-level")
    READS = ("REFERENCE", "AOI")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "images"}

    def __init__(self) -> None:
        super().__init__()
        self._to_load = ""

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.add(
            QgsProcessingParameterFile("REFERENCE", tr("Reference images (folder)"), QgsProcessingParameterFile.Behavior.Folder),
            tr("The database that 'Build reference database' has made."),
        )
        self.area(
            tr("Whose images and gaps are wanted. Empty: the area that the database was built for, or the box about its images."),
            preselect=False,
        )
        self.advanced(
            QgsProcessingParameterBoolean("LOAD", tr("Load the layers"), defaultValue=True, optional=True),
            tr("Adds both layers to the project. A step of a model and qgis_process load none."),
        )
        self.overwrite()
        self.add(
            QgsProcessingParameterFileDestination("OUTPUT", tr("Images and gaps"), "GeoPackage (*.gpkg)"),
            tr("A GeoPackage with the layers 'images' and 'gaps', styled."),
        )
        self.addOutput(QgsProcessingOutputNumber("COUNT", tr("Reference images")))
        self.addOutput(QgsProcessingOutputNumber("GAP_SHARE", tr("Share of the area with no image within reach, 0 to 1")))
        for kind, title in TITLES.items():
            self.addOutput(QgsProcessingOutputVectorLayer(kind.upper(), tr(title)))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        output = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        problem = (
            checks.check_reference(self.file_in(parameters, "REFERENCE", context))
            or checks.check_folders([output] if output else [])
            or checks.check_geopackage_name(output)
        )
        if problem:
            return problem
        self._area(parameters, context)  # raises AreaError
        return None

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine."""
        area = self._area(parameters, context)
        output = self.file_out(parameters, "OUTPUT", context) or ""
        os.makedirs(os.path.dirname(output), exist_ok=True)
        arguments = ReferenceLayerArguments(
            reference=os.path.abspath(self.file_in(parameters, "REFERENCE", context)),
            output=output,
            aoi=area.text if area else None,
            aoi_crs=area.crs if area else None,
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
        )
        said = self.ask("reference-layer", arguments, feedback, when_cancelled=tr("Cancelled; no layer was written."))
        feedback.pushInfo(
            tr(
                "{images:,} reference images; {gap_share:.0%} of the area has none within reach.",
                images=said["images"],
                gap_share=said["gap_share"],
            )
        )
        self._to_load = output if self.parameterAsBoolean(parameters, "LOAD", context) else ""
        layers = {kind.upper(): f"{output}|layername={kind}" for kind in TITLES}
        return {"OUTPUT": output, "COUNT": said["images"], "GAP_SHARE": said["gap_share"], **layers}

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """QGIS calls this in the main thread, after a run that succeeded and before it loads layers."""
        for kind, title in TITLES.items() if self._to_load else ():
            load_layer(self._to_load, kind, tr(title), context)
        return {}

    def _area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[Area]:
        return read_area(self, parameters, context, "AOI", "EXTENT") if is_given(parameters, "AOI", "EXTENT") else None
