"""Results of a batch, a file a video: what is finished stays finished, and a GeoPackage is a merge of it."""

from .entry import UNREAD, EntryKey, StoredRow, file_mark, read_entry, read_row, write_entry
from .folder import IDENTITY, Entry, ResultStore, is_store, settings_identity, store_of
from .inventory import Inventory, WantedVideo, shard_of, share_out
from .merging import Merged, merge_into

__all__ = [
    "IDENTITY",
    "UNREAD",
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
    "settings_identity",
    "shard_of",
    "share_out",
    "store_of",
    "write_entry",
]
