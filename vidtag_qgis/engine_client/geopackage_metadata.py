"""Metadata of a whole GeoPackage, by the standard's metadata extension: where the record of a result and the marks of the others lie.

Standard library only, and clean for Python 3.9: the plugin carries a copy of this file, byte for byte.
"""

from __future__ import annotations

import sqlite3
from typing import Optional

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
