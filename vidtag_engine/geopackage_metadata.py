"""Metadata of a whole GeoPackage, by the standard's metadata extension: where the record of a result and the marks of the others lie.

The record says which schema the result is of: a major and a minor number. What only adds layers, columns or keys of the record raises the minor; whatever a
reader must know of raises the major. A reader takes every minor number of its own major one and of the earlier, and refuses a higher major one.

Standard library only, and clean for Python 3.9: the plugin carries a copy of this file, byte for byte.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

PROVENANCE_URI = "urn:vidtag:provenance"
"""``md_standard_uri`` of the record of a result."""


class Schema(NamedTuple):
    """Version of a result's layers, columns and record."""

    major: int
    minor: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


SCHEMA = Schema(4, 6)
"""Written, and read with all minor numbers; docs/geopackage.md tells what differs."""

_METADATA_SQL = """
CREATE TABLE IF NOT EXISTS gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '')
"""
_REFERENCE_SQL = """
CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id))
"""
_EXTENSIONS_SQL = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))
"""
_EXTENSION = "http://www.geopackage.org/spec120/#extension_metadata"


def add_metadata(database: sqlite3.Connection, uri: str, mime_type: str, text: str, stamp: Optional[str] = None) -> None:
    """Put a text into a GeoPackage as metadata of the whole (the standard's metadata extension).

    Args:
        database: the GeoPackage.
        uri: what the text is.
        mime_type: of the text.
        text: itself.
        stamp: moment, as ISO 8601 in UTC; None is now.
    """
    for statement in (_METADATA_SQL, _REFERENCE_SQL, _EXTENSIONS_SQL):
        database.execute(statement)
    for table in ("gpkg_metadata", "gpkg_metadata_reference"):
        database.execute("INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')", (table, _EXTENSION))
    row = database.execute(
        "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) VALUES ('dataset', ?, ?, ?)", (uri, mime_type, text)
    ).lastrowid
    database.execute(
        "INSERT INTO gpkg_metadata_reference (reference_scope, timestamp, md_file_id) "
        "VALUES ('geopackage', coalesce(?, strftime('%Y-%m-%dT%H:%M:%fZ','now')), ?)",
        (stamp, row),
    )


def schema_record(schema: Schema = SCHEMA) -> dict[str, int]:
    """What the record says of its schema; the first readers compare ``schema_version``, an integer, with the highest that they know."""
    return {"schema_version": schema.major, "schema_minor": schema.minor}


def schema_of(record: Mapping[str, Any]) -> Schema:
    """The schema that a record names; without a minor number it is 0. Raises KeyError, TypeError or ValueError where it names none."""
    return Schema(int(record["schema_version"]), int(record.get("schema_minor", 0)))


def records_of(database: sqlite3.Connection) -> list[str]:
    """The records of a GeoPackage, each JSON; empty where it is no result."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'gpkg_metadata'").fetchone():
        return []
    return [
        text for (text,) in database.execute("SELECT metadata FROM gpkg_metadata WHERE md_standard_uri = ? ORDER BY id", (PROVENANCE_URI,))
    ]


def stored_schema(database: sqlite3.Connection) -> Optional[Schema]:
    """The schema of a result; None where it is none, or its record is damaged."""
    try:
        return schema_of(json.loads(records_of(database)[-1]))
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):
        return None


def schema_refusal(name: str, schema: Optional[Schema]) -> Optional[str]:
    """Why a result cannot be read, as one sentence; None where it can.

    Args:
        name: of the file, for the sentence.
        schema: of it.
    """
    if schema is None or schema.major <= SCHEMA.major:
        return None
    return f"{name} was written by a newer VidTAG (schema {schema}, this one knows {SCHEMA}); update VidTAG."
