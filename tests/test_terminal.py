"""What the command line says where there is no terminal."""

from __future__ import annotations

from vidtag_engine.cli import terminal
from vidtag_engine.types import Progress


def test_without_a_terminal_a_stage_is_told_when_it_begins_and_once_a_minute(capsys, monkeypatch):
    now_s = 1000.0
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now_s)
    with terminal.progress_bar() as tell:
        for second in range(0, 150, 10):
            now_s = 1000.0 + second
            tell(Progress(second / 150, "features", f"frame[{second}].mp4"))
        tell(Progress(0.0, "training", ""))
    assert capsys.readouterr().err.splitlines() == [
        "  0% features frame[0].mp4",
        " 40% features frame[60].mp4",
        " 80% features frame[120].mp4",
        "  0% training",
    ]
