"""Another program that holds a GeoPackage open. It must be one: two copies of SQLite in one process take each other's locks away."""

import json
import subprocess
import sys

_SERVE = """
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    row = database.execute(json.loads(line)).fetchone()
    print(json.dumps(row[0] if row else None), flush=True)
"""


class OtherProgram:
    """A process with one connection to a database.

    Args:
        path: of the database.
    """

    def __init__(self, path):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def ask(self, statement):
        """Run a statement there; the first column of its first row."""
        self._process.stdin.write(json.dumps(statement) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def edit_as_qgis_does(self):
        """What QGIS's provider does when editing is toggled on, before anything is saved."""
        assert self.ask("PRAGMA journal_mode = WAL") == "wal"
        self.ask("SELECT count(*) FROM sqlite_master")
