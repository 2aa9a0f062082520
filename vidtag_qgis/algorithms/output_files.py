"""What the outputs of an algorithm may replace: asked of the dialog's values, in the main thread, before anything runs.

Files that the engine writes are judged by ``file_marks``, as the engine itself judges them. Layers that QGIS writes come on top: it replaces whatever lies
at their path, a whole GeoPackage too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingUtils,
    QgsProperty,
)

from ..edits import file_of, guard, table_of
from ..engine_client.file_marks import KIND_URI, mark_of, own_kind, refusal
from ..engine_client.geopackage_metadata import add_metadata
from ..translation import mark, tr, translated
from .checks import target_of

REPLACE = mark("tick 'Overwrite' (OVERWRITE=true)")
"""In English: it is put into sentences of ``file_marks``, which are translated as a whole."""
LAYER = "layer"
"""The kind, for file_marks, of a GeoPackage with one layer that QGIS has copied from a result."""


@dataclass(frozen=True)
class Files:
    """What a call reads and writes.

    Args:
        read: files and folders, with the table where one is meant ("" for all of the file).
        engine: label, path and kind of each file that the engine (or the plugin) writes as a whole.
        sinks: label, path and table ("" for a file of its own) of each layer that QGIS writes.
    """

    read: list[tuple[str, str]] = field(default_factory=list)
    engine: list[tuple[str, str, str]] = field(default_factory=list)
    sinks: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def written(self) -> list[str]:
        """Paths of all that is written."""
        return [path for _, path, _ in [*self.engine, *self.sinks]]

    @property
    def inputs(self) -> list[str]:
        """Paths of all that is read."""
        return [path for path, _ in self.read]


def files_of(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    reads: Sequence[str],
    writes: dict[str, str],
    sinks: Sequence[str],
) -> Files:
    """The files that a call reads and writes; what is temporary or in memory is none. Called in the main thread: it looks at layers.

    Args:
        reads: names of the parameters that name inputs.
        writes: names of those that name whole files to write, and the kind of each.
        sinks: names of those that name layers to write.
    """
    found = Files()
    for name in reads:
        found.read.extend(_read_by(algorithm, parameters, name, context))
    for name, kind in writes.items():
        if (target := target_of(parameters.get(name))) is not None:
            found.engine.append((_label(algorithm, name), target[0], kind))
    for name in sinks:
        if (target := target_of(parameters.get(name))) is not None:
            found.sinks.append((_label(algorithm, name), *target))
    return found


def refusal_of(files: Files, *, overwrite: bool) -> Optional[str]:
    """Why a call must not begin, as one sentence; None where it may."""
    if (why := guard().refusal(files.written)) is not None:
        return why
    for _, path, kind in files.engine:
        # What is not there has nothing to lose; its folder is made where it is missing.
        if (os.path.lexists(path) or kind == "checkpoint") and (
            why := refusal(path, kind, inputs=files.inputs, overwrite=overwrite, replace=REPLACE)
        ):
            return translated(why)
    for label, path, table in files.sinks:
        if os.path.lexists(path) and (why := _sink_refusal(label, path, table, files.read, overwrite=overwrite)):
            return why
    return None


def mark_layer(value: Any) -> None:
    """Mark the GeoPackage that QGIS has just copied a layer into as this tool's own, so that the next run may replace it.

    Args:
        value: of the output's parameter; what is temporary, or a table among others, bears no mark.
    """
    path, table = target_of(value) or ("", "")
    if not table and path.lower().endswith(".gpkg") and len(_layers(path)) == 1:
        with closing(sqlite3.connect(path)) as database, database:
            add_metadata(database, KIND_URI, "text/plain", mark_of(LAYER))


def _label(algorithm: QgsProcessingAlgorithm, name: str) -> str:
    return str(algorithm.parameterDefinition(name).description())


def _sink_refusal(label: str, path: str, table: str, read: list[tuple[str, str]], *, overwrite: bool) -> Optional[str]:
    """Why QGIS must not write a layer to a path where something lies."""
    name = os.path.basename(path)
    for other, other_table in read:
        # Another table of the very GeoPackage that an input lies in takes nothing away.
        if _same(path, other) and not (table and other_table and table != other_table):
            return tr(
                "The output {name} ({label}) is also an input of this call, and would be lost: choose another output.",
                name=name,
                label=label,
            )
    if os.path.isdir(path):
        return tr("The output {name} ({label}) is a folder: give the path of a file.", name=name, label=label)
    return None if overwrite else _why_kept(name, label, _layers(path), path, table)


def _why_kept(name: str, label: str, layers: list[str], path: str, table: str) -> Optional[str]:
    """Why QGIS must not replace what it was not told to replace."""
    if table:
        there = table.lower() in {one.lower() for one in layers}
        return (
            tr(
                "{name} has a layer {table!r} already: give {label} another name there, or {replace} to replace it.",
                name=name,
                table=table,
                label=label,
                replace=tr(REPLACE),
            )
            if there
            else None
        )
    if layers and len(layers) == 1 and own_kind(path) == LAYER:
        return None
    end = tr("choose another output for {label}, or {replace} to replace it.", label=label, replace=tr(REPLACE))
    if layers:
        if len(layers) == 1:
            return tr(
                "{name} holds the layer {layer}, which would be lost: choose 'Save to GeoPackage…' to add {label} as a layer, {end}",
                name=name,
                layer=layers[0],
                label=label,
                end=end,
            )
        names = f"{', '.join(layers[:3])}{', …' if layers[3:] else ''}"
        return tr(
            "{name} holds {count} layers ({names}), which would be lost: choose 'Save to GeoPackage…' to add {label} as a layer, {end}",
            name=name,
            count=len(layers),
            names=names,
            label=label,
            end=end,
        )
    return tr("{name} exists and bears no mark of this tool: {end}", name=name, end=end)


def _layers(path: str) -> list[str]:
    """Names of a GeoPackage's layers; empty for any other file. It is not opened as bytes: see ``file_marks``."""
    try:
        with closing(sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            return [str(name) for (name,) in database.execute("SELECT table_name FROM gpkg_contents ORDER BY table_name")]
    except (OSError, sqlite3.Error):
        return []


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _read_by(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext
) -> list[tuple[str, str]]:
    """Files that a parameter names, with their tables."""
    value = parameters.get(name)
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        value = value.source
    if isinstance(value, QgsProperty):
        value = value.staticValue()
    if value in (None, ""):
        return []
    definition: QgsProcessingParameterDefinition = algorithm.parameterDefinition(name)
    if not isinstance(definition, QgsProcessingParameterFeatureSource):
        given = algorithm.parameterAsFileList(parameters, name, context) if isinstance(value, (list, tuple)) else [str(value)]
        return [(path.split("|", 1)[0], "") for path in given if path]
    layer = QgsProcessingUtils.mapLayerFromString(value, context) if isinstance(value, str) else value
    path = file_of(layer) if layer is not None else ""
    return [(path, table_of(layer))] if path else []
