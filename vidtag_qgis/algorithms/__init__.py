"""One file a Processing algorithm."""
