"""Results of a batch, a file a video: what is finished stays finished, and a GeoPackage is a merge of it."""

from .entry import EntryKey, StoredRow, file_mark, read_entry, read_row
from .folder import IDENTITY, Entry, ResultStore, is_store, store_of
from .inventory import Inventory, WantedVideo, shard_of, share_out
from .merging import Merged, merge_into

__all__ = [
    "IDENTITY",
    "Entry",
    "EntryKey",
    "Inventory",
    "Merged",
    "ResultStore",
    "StoredRow",
    "WantedVideo",
    "file_mark",
    "is_store",
    "merge_into",
    "read_entry",
    "read_row",
    "shard_of",
    "share_out",
    "store_of",
]
