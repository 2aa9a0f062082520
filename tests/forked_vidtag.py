"""``vidtag`` as a fork of a process that has imported the libraries, for tests that run very many commands: a start takes seconds, and most tests are not of it.

    python -m tests.forked_vidtag serve SOCKET    (the engine's Python; answers until its standard input ends)
    python forked_vidtag.py ask SOCKET WORDS...   (any Python; is the command)

A command is ``python -m vidtag_engine`` with the caller's folder, variables, input and outputs. Where a variable that libraries read when they are imported
differs from the server's, the caller is told so with `COLD_STATUS`, and starts a process of its own.
"""

from __future__ import annotations

import json
import os
import socket
import sys

COLD_STATUS = 199
# What differs from shell to shell and is read by no library when it is imported.
_FREE = {"_", "BROWSER", "OLDPWD", "PATH", "PWD", "PYTHONPATH", "SHLVL", "XDG_RUNTIME_DIR"}
_FREE_PREFIXES = ("PYTEST_", "QGIS_", "QT_", "VIDTAG_ENGINE_")  # of the tests and of QGIS, which the plugin starts the engine from


def _bound(variables: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in _FREE and not name.startswith(_FREE_PREFIXES)}


def ask(path: str, words: list[str]) -> int:
    """Have the server run a command with this process's descriptors, and return its exit status; 1 where it was killed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [b"f"], [0, 1, 2])
        request = {"words": words, "folder": os.getcwd(), "variables": dict(os.environ)}  # noqa: PTH109 - pathlib costs more than all else here
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(16) or b"1")


def _become(connection: socket.socket, started: dict[str, str]) -> None:
    """In the fork: be the command, and tell how it ended. `started` is what the variables were before anything was imported."""
    import atexit
    import runpy
    import signal
    import threading
    import traceback

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.read())
    code = 1
    try:
        if _bound(request["variables"]) != _bound(started):
            code = COLD_STATUS
            return
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(request["folder"])
        set_by_imports = {name: value for name, value in os.environ.items() if started.get(name) != value}
        os.environ.clear()
        os.environ.update(request["variables"] | set_by_imports)
        sys.argv = ["vidtag", *request["words"]]
        runpy.run_module("vidtag_engine", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, the interpreter would print it
        traceback.print_exc()
    finally:
        # What a process does when it ends, but for taking the libraries down in order.
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(code).encode())
        os._exit(code)


def serve(path: str) -> None:
    """Import, then fork for each command. Says ``ready`` on standard output when it listens."""
    import gc
    import select
    import signal

    started = dict(os.environ)
    import matplotlib.figure  # noqa: F401
    import pyogrio  # noqa: F401
    import rich.progress  # noqa: F401

    import vidtag_engine.cli
    import vidtag_engine.evaluation
    import vidtag_engine.geolocation
    import vidtag_engine.training.sources  # noqa: F401

    gc.freeze()  # what is there now is shared with the forks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        print("ready", flush=True)
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _become(connection, started)
            connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        sys.exit(ask(sys.argv[2], sys.argv[3:]))
    serve(sys.argv[2])
