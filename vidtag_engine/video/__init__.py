"""Video in: open, sample with true timestamps, and read the positions that a file may carry (to compare with, never for the answer)."""

from .digest import source_digest
from .frame_reader import FrameReader
from .image_folder import ImageFolder
from .original import find_original
from .read_ahead import ReadAhead
from .source import find_videos, frame_names, open_source, unique_names
from .tracks import embedded_name, embedded_track, read_track

__all__ = [
    "FrameReader",
    "ImageFolder",
    "ReadAhead",
    "embedded_name",
    "embedded_track",
    "find_original",
    "find_videos",
    "frame_names",
    "open_source",
    "read_track",
    "source_digest",
    "unique_names",
]
