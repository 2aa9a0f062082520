"""The Processing provider "VidTAG"."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import settings
from .algorithms.build_reference import BuildReference
from .algorithms.check_engine import CheckEngine
from .algorithms.evaluate_trajectory import EvaluateTrajectory
from .algorithms.export_trajectory import ExportTrajectory
from .algorithms.finetune import Finetune
from .algorithms.geolocate_video import GeolocateVideo
from .algorithms.grid_gallery import GridGallery
from .algorithms.guess_city import GuessCity
from .algorithms.match_roads import MatchRoads
from .algorithms.reference_images import ReferenceImages
from .algorithms.similarity_heatmap import SimilarityHeatmap
from .algorithms.solve_with_pins import SolveWithPins
from .algorithms.status import Status
from .edits import close_guard, guard
from .places import ICON
from .translation import tr

ALGORITHMS = (
    GeolocateVideo,
    GuessCity,
    GridGallery,
    SimilarityHeatmap,
    SolveWithPins,
    MatchRoads,
    EvaluateTrajectory,
    ExportTrajectory,
    Finetune,
    BuildReference,
    ReferenceImages,
    CheckEngine,
    Status,
)


class VidTAGProvider(QgsProcessingProvider):
    """All algorithms of the plugin, under one name."""

    def id(self) -> str:
        """Stable id: models and scripts name it."""
        return "vidtag"

    def name(self) -> str:
        """Name in the toolbox."""
        return "VidTAG"

    def longName(self) -> str:
        """Name where there is room."""
        return tr("VidTAG: where was this video taken?")

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(str(ICON))

    def load(self) -> bool:
        """Register the settings, then the algorithms."""
        guard()  # in the main thread, whose layers it watches
        settings.register(self.name(), self.icon())
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        """Take the settings away again."""
        settings.unregister()
        close_guard()

    def loadAlgorithms(self) -> None:
        """Add the algorithms."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        """Layers go to GeoPackages by default, whatever QGIS's setting: the engine writes them, and they keep times and styles."""
        return "gpkg"
