"""Video in: open, sample with true timestamps, and read the positions that a file may carry (to compare with, never for the answer)."""

from .digest import source_digest
from .frame_reader import FrameReader
from .image_folder import ImageFolder
from .original import find_original
from .read_ahead import ReadAhead
from .source import distinct_names, find_videos, frame_names, open_source, unique_names
from .tracks import embedded_name, embedded_track, read_track
from .video_table import VideoRow, files_of_rows, read_video_table, video_rows

__all__ = [
    "FrameReader",
    "ImageFolder",
    "ReadAhead",
    "VideoRow",
    "distinct_names",
    "embedded_name",
    "embedded_track",
    "files_of_rows",
    "find_original",
    "find_videos",
    "frame_names",
    "open_source",
    "read_track",
    "read_video_table",
    "source_digest",
    "unique_names",
    "video_rows",
]
