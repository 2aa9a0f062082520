"""As :mod:`vidtag_engine.atomic`, under its earlier name."""

from ..atomic import SQLITE_SIDE_FILES, replacing, write_text

__all__ = ["SQLITE_SIDE_FILES", "replacing", "write_text"]
