"""The workbench's page "Locate": videos, area, what to recognise them by, and the run itself."""

from __future__ import annotations

import os
from typing import Any, Optional

from qgis.core import (
    QgsFeatureRequest,
    QgsGeometry,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsFileWidget, QgsMapLayerComboBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..area_estimate import area_m2, sentence
from ..compat import layer_filter
from ..translation import tr
from .algorithm_run import AlgorithmRun
from .area_tool import AREA_PROPERTY
from .flow_layout import FlowLayout
from .progress_line import ProgressLine
from .video_list import VideoList

ALGORITHM = "vidtag:geolocatevideo"
CHECKPOINTS = "vidtag/workbench_checkpoints"
"""Setting: checkpoints that were used here, the latest first."""
TRAINED, CANVAS, LAYER = "trained", "canvas", "layer"
_MOST_CHECKPOINTS = 10
_MOST_MEASURED = 10_000


class RunPanel(QWidget):
    """What "Geolocate video" needs most, in one page. ``finished`` carries the result's path when a run went through.

    Args:
        iface: QGIS's interface.
        parent: of the widget.
    """

    finished = pyqtSignal(str)
    draw_asked = pyqtSignal()

    def __init__(self, iface: Any, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._canvas = iface.mapCanvas()
        self.run: Optional[AlgorithmRun] = None
        self._links: list[tuple[Any, Any]] = []
        self._build()
        self._arrange()
        self.videos.changed.connect(self._tell)
        for signal in (self.area_box.currentIndexChanged, self.resolution_field.valueChanged, self.selected_box.toggled):
            signal.connect(self._tell)
        self.layer_box.layerChanged.connect(self._tell)
        self._busy(False)

    # What it is made of.

    def _build(self) -> None:
        self.videos = VideoList(self)
        self.add_files, self.add_folder, self.remove = (
            self._button(text, tip)
            for text, tip in (
                (tr("Add videos…"), tr("Choose video files")),
                (tr("Add folder…"), tr("Choose a folder: all videos in it and its subfolders")),
                (tr("Remove"), tr("Take the chosen videos off the list; none chosen: all")),
            )
        )
        self.add_files.clicked.connect(self._choose_files)
        self.add_folder.clicked.connect(self._choose_folder)
        self.remove.clicked.connect(self.videos.remove_chosen)
        self.area_box = QComboBox(self)
        for key, text in (
            (LAYER, tr("A layer of polygons")), (CANVAS, tr("What the map shows")), (TRAINED, tr("Where the checkpoint was trained")),
        ):  # fmt: skip
            self.area_box.addItem(text, key)
        self.layer_box = QgsMapLayerComboBox(self)
        self.layer_box.setFilters(layer_filter("PolygonLayer"))
        self.layer_box.setAccessibleName(tr("A layer of polygons"))
        self.selected_box = QCheckBox(tr("Selected features only"), self)
        self.draw_button = self._button(tr("Draw area"), tr("Draw the area on the map: a click a corner, the right button ends"))
        self.draw_button.clicked.connect(self.draw_asked)
        self.area_label, self.message_label = QLabel(self), QLabel(self)
        for label in (self.area_label, self.message_label):
            label.setWordWrap(True)
        self.resolution_field = QDoubleSpinBox(self)
        self.resolution_field.setRange(0.1, 5e6)
        self.resolution_field.setDecimals(1)
        self.resolution_field.setSuffix(" m")
        self.resolution_field.setValue(25.0)
        self.checkpoint_box = QComboBox(self)
        self.checkpoint_box.setEditable(True)
        self.checkpoint_box.setToolTip(
            tr("A folder that 'Train for an area' has written, geoclip for the worldwide model, or none for roads alone")
        )
        self.checkpoint_box.addItems([*_kept_checkpoints(), "geoclip", "none"])
        self.checkpoint_button = self._button("…", tr("Choose the checkpoint's folder"))
        self.checkpoint_button.setAccessibleName(tr("Choose the checkpoint's folder"))
        self.checkpoint_button.clicked.connect(self._choose_checkpoint)
        self.reference_field = self._file(
            QgsFileWidget.StorageMode.GetDirectory, tr("Reference images"), tr("A database that 'Build reference database' has made")
        )
        self.roads_box = QgsMapLayerComboBox(self)
        self.roads_box.setFilters(layer_filter("LineLayer"))
        self.roads_box.setAllowEmptyLayer(True)
        self.roads_box.setCurrentIndex(0)
        for box in (self.area_box, self.layer_box, self.roads_box, self.checkpoint_box):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(20 if box is self.area_box else 12)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.roads_box.setToolTip(tr("Streets that the shape of the way is compared with"))
        self.scores_box = QCheckBox(tr("Keep scores for pins"), self)
        self.scores_box.setToolTip(tr("Keep scores, so that pins solve it again"))
        self.scores_box.setChecked(True)
        self.output_field = self._file(QgsFileWidget.StorageMode.SaveFile, tr("Result"), tr("The result; empty: beside the first video"))
        self.output_field.setFilter("GeoPackage (*.gpkg)")
        self.run_button, self.cancel_button = QPushButton(tr("Run"), self), QPushButton(tr("Cancel"), self)
        self.more_button = self._button(tr("All settings…"), tr("Open 'Geolocate video' with what is chosen here"))
        self.run_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self.more_button.clicked.connect(self._all_settings)
        self.bar = ProgressLine(self)

    def _arrange(self) -> None:
        layout, form = QVBoxLayout(self), QFormLayout()
        layout.addWidget(self.videos)
        layout.addLayout(FlowLayout(self.add_files, self.add_folder, self.remove))
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(tr("Area"), self.area_box)
        form.addRow("", self.layer_box)
        form.addRow("", FlowLayout(self.selected_box, self.draw_button))
        form.addRow(tr("Grid resolution"), self.resolution_field)
        form.addRow(tr("Checkpoint"), _line(self.checkpoint_box, self.checkpoint_button))
        form.addRow(tr("Reference images"), self.reference_field)
        form.addRow(tr("Roads"), self.roads_box)
        form.addRow(tr("Result"), self.output_field)
        form.addRow("", self.scores_box)
        layout.addLayout(form)
        layout.addWidget(self.area_label)
        layout.addLayout(FlowLayout(self.run_button, self.cancel_button, self.more_button))
        layout.addWidget(self.bar)
        layout.addWidget(self.message_label)
        layout.addStretch()

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        return button

    def _file(self, mode: Any, name: str, tip: str) -> QgsFileWidget:
        field = QgsFileWidget(self)
        field.setStorageMode(mode)
        field.setToolTip(tip)
        for part in (field.lineEdit(), *field.findChildren(QToolButton)):
            part.setAccessibleName(name)
        return field

    # While it is open.

    def wake(self) -> None:
        """Follow the map and the project."""
        if self._links:
            return
        for signal, slot in (
            (self._canvas.extentsChanged, self._map_moved),
            (QgsProject.instance().layersAdded, self._area_drawn),
            (QgsProject.instance().layersRemoved, self._tell),
        ):
            signal.connect(slot)
            self._links.append((signal, slot))
        self._tell()

    def rest(self) -> None:
        """Follow them no more. A run goes on: it is a task of QGIS's."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()

    # Choices.

    def _choose_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, tr("Videos"))
        self.videos.add(paths)

    def _choose_folder(self) -> None:
        self.videos.add([QFileDialog.getExistingDirectory(self, tr("Folder of videos"))])

    def _choose_checkpoint(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, tr("Checkpoint")):
            self.checkpoint_box.setEditText(path)

    def _area_drawn(self, layers: list[Any]) -> None:
        """A drawn area is meant at once."""
        for layer in layers:
            if layer.customProperty(AREA_PROPERTY):
                self.area_box.setCurrentIndex(self.area_box.findData(LAYER))
                self.layer_box.setLayer(layer)
        self._tell()

    @property
    def area_layer(self) -> Optional[QgsVectorLayer]:
        """The layer of polygons, where one is meant."""
        layer = self.layer_box.currentLayer() if self.area_box.currentData() == LAYER else None
        return layer if isinstance(layer, QgsVectorLayer) else None

    def _map_moved(self) -> None:
        if self.area_box.currentData() == CANVAS:
            self._tell()

    def _tell(self, *_: Any) -> None:
        """Say how large the area is, how many places it makes, and how long they take."""
        by_layer = self.area_box.currentData() == LAYER
        for widget in (self.layer_box, self.selected_box):
            widget.setVisible(by_layer)
        self.area_label.setText(self._area_text())

    def _area_text(self) -> str:
        if self.area_box.currentData() == TRAINED:
            return tr("The area that the checkpoint was trained on is searched; the engine counts its places when it starts.")
        context, resolution_m = QgsProject.instance().transformContext(), self.resolution_field.value()
        if self.area_box.currentData() == CANVAS:
            crs = self._canvas.mapSettings().destinationCrs()
            return sentence(area_m2(QgsGeometry.fromRect(self._canvas.extent()), crs, context), resolution_m)
        layer = self.area_layer
        if layer is None:
            return tr("The project has no layer of polygons yet: draw the area, or add a layer.")
        chosen = self.selected_box.isChecked()
        if chosen and not layer.selectedFeatureCount():
            return tr("Nothing is selected in {name}: select the polygons that you mean.").format(name=layer.name())
        if not chosen and layer.featureCount() > _MOST_MEASURED:
            return tr("{count} polygons: the engine measures them when it starts.").format(count=layer.featureCount())
        wanted = QgsFeatureRequest().setFilterFids(layer.selectedFeatureIds()) if chosen else QgsFeatureRequest()
        shapes = [feature.geometry() for feature in layer.getFeatures(wanted.setNoAttributes())]
        return sentence(area_m2(QgsGeometry.unaryUnion(shapes), layer.crs(), context) if shapes else 0.0, resolution_m)

    # The run.

    def parameters(self) -> dict[str, Any]:
        """What is chosen, as the algorithm takes it."""
        found: dict[str, Any] = {
            "VIDEOS": self.videos.files,
            "CHECKPOINT": self.checkpoint_box.currentText().strip(),
            "RESOLUTION": self.resolution_field.value(),
            "KEEP_SCORES": self.scores_box.isChecked(),
            "OUTPUT": self._output(),
        }
        if self.videos.folders:
            found["FOLDER"] = self.videos.folders[0]
        if self.reference_field.filePath():
            found["REFERENCE"] = self.reference_field.filePath()
        if (roads := self.roads_box.currentLayer()) is not None:
            found["ROADS"] = roads.id()
        layer = self.area_layer
        if layer is not None:
            selected = self.selected_box.isChecked()
            found["AOI"] = QgsProcessingFeatureSourceDefinition(layer.id(), selected) if selected else layer.id()
        elif self.area_box.currentData() == CANVAS:
            extent, crs = self._canvas.extent(), self._canvas.mapSettings().destinationCrs()
            edges = (extent.xMinimum(), extent.xMaximum(), extent.yMinimum(), extent.yMaximum())
            found["EXTENT"] = f"{','.join(f'{edge:.10g}' for edge in edges)} [{crs.authid()}]"
        return found

    def _output(self) -> str:
        if path := self.output_field.filePath().strip():
            return path if path.lower().endswith(".gpkg") else f"{path}.gpkg"
        first = next(iter(self.videos.paths), "")
        if not first:
            return "TEMPORARY_OUTPUT"
        stem = os.path.splitext(first)[0] if os.path.isfile(first) else first.rstrip(os.sep)
        place, number = f"{stem}.gpkg", 2
        while os.path.exists(place):  # nobody has chosen this name, so what lies there stays
            place, number = f"{stem}-{number}.gpkg", number + 1
        return place if os.access(os.path.dirname(place), os.W_OK) else "TEMPORARY_OUTPUT"

    def problem(self) -> Optional[str]:
        """Why it cannot begin, in one sentence, before the algorithm itself looks."""
        if not self.videos.paths:
            return tr("Add at least one video: drop it on the list, or choose it.")
        if len(self.videos.folders) > 1:
            return tr("One folder at a time: take the others off the list, or make a folder that holds them all.")
        if self.area_box.currentData() == LAYER and self.area_layer is None:
            return tr("Draw the area, choose a layer of polygons, or search where the checkpoint was trained.")
        return None

    def start(self) -> None:
        """Run it; what is wrong is said below."""
        if self.run is not None:
            return
        problem = self.problem()
        if problem is None:
            run = AlgorithmRun(ALGORITHM, self.parameters(), self)
            run.said.connect(self._said)
            run.progressed.connect(self._progressed)
            run.done.connect(self._done)
            problem = run.start()
            if problem is None:
                self.run = run
                _keep_checkpoint(self.checkpoint_box.currentText().strip())
        self.message_label.setText(problem or tr("The engine starts…"))
        self._busy(problem is None)

    def cancel(self) -> None:
        """Stop it; finished videos are kept."""
        if self.run is not None:
            self.message_label.setText(tr("Stopping…"))
            self.run.cancel()

    def _busy(self, at_work: bool) -> None:
        self.run_button.setEnabled(not at_work)
        self.cancel_button.setEnabled(at_work)
        (self.bar.begin if at_work else self.bar.rest)()

    def _said(self, kind: str, text: str) -> None:
        if self.run is not None and kind in ("stage", "error"):
            self.message_label.setText(text)

    def _progressed(self, share: float, left_s: float) -> None:
        self.bar.show_at(share, left_s)

    def _done(self, succeeded: bool, results: dict[str, Any]) -> None:
        run, self.run = self.run, None
        self._busy(False)
        if not succeeded:
            self.message_label.setText(
                run.error if run is not None and run.error else tr("It did not go through: see the log messages, Processing.")
            )
        else:
            self.message_label.setText(_summary(results))
            self.finished.emit(str(results.get("OUTPUT", "")))
        if run is not None:
            run.deleteLater()

    def _all_settings(self) -> None:
        import processing

        processing.execAlgorithmDialog(ALGORITHM, self.parameters())


def _summary(results: dict[str, Any]) -> str:
    text = tr("{located} of {frames} frames located").format(located=results.get("LOCATED_COUNT", 0), frames=results.get("FRAME_COUNT", 0))
    confidence = results.get("MEAN_CONFIDENCE")
    if confidence is not None:
        text += tr(", mean confidence {share:.0%}").format(share=confidence)
    why = results.get("WITHHELD_REASON")
    said = f"{text}. {why}" if why else f"{text}."
    folder = f"{os.path.splitext(str(results.get('OUTPUT', '')))[0]}.scores"
    if os.path.isdir(folder):
        size_mb = sum(entry.stat().st_size for entry in os.scandir(folder) if entry.is_file()) / 1e6
        said += " " + tr("Scores for pins take {size:.1f} MB beside the result.").format(size=size_mb)
    return said


def _kept_checkpoints() -> list[str]:
    stored = QgsSettings().value(CHECKPOINTS, [])
    return [one for one in (stored if isinstance(stored, list) else [stored]) if one and os.path.exists(str(one))]


def _keep_checkpoint(name: str) -> None:
    if os.path.exists(name):
        QgsSettings().setValue(CHECKPOINTS, [name, *(one for one in _kept_checkpoints() if one != name)][:_MOST_CHECKPOINTS])


def _line(*widgets: QWidget) -> QWidget:
    """A wide widget and narrow ones beside it, as one field of a form."""
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widgets[0], 1)
    for widget in widgets[1:]:
        row.addWidget(widget)
    return line
