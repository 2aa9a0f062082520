"""Layers that stand beside the model's own in a finished result: pins, and what was solved again from them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ..atomic import replacing
from ..types import InputError
from .geopackage import write_layer
from .geopackage_tables import add_style
from .tables import Table

_MODELS_OWN = frozenset({"trajectory", "frames", "videos", "regions", "aoi", "layer_styles"})


def with_layers(path: Path, layers: Mapping[str, tuple[Table, str]], output: Path | None = None, *, overwrite: bool = False) -> None:
    """Put layers into a result, in place of older ones of their names. The file is written whole; all other layers stay as they are.

    Args:
        path: of the GeoPackage.
        layers: by name, the columns and the layer of the canonical result that it is like (kind of geometry, style).
        output: a copy to make instead; ``path`` then stays as it is.
        overwrite: replace what is at ``output`` also where it is no result.

    Raises:
        InputError: it cannot be written.
        ValueError: a layer would take the place of the model's own.
    """
    if taken := _MODELS_OWN & set(layers):
        raise ValueError(f"the model's own layers are not written over: {sorted(taken)}")
    with replacing(output or path, None if output is None else "result", overwrite=overwrite) as part:
        _copy(path, part)
        for name, (table, like) in layers.items():
            write_layer(part, name, table, like)
        with closing(sqlite3.connect(part)) as database, database:
            for name, (_, like) in layers.items():
                add_style(database, name, like)


def _copy(path: Path, part: Path) -> None:
    """A copy that holds what another program has saved but not yet moved into the file itself (SQLite's write-ahead log)."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be read ({error}); close it in other programs and try again.") from error
