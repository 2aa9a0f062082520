"""Bad input about a truth whose clock is off."""

from __future__ import annotations

from .bad_input_cases import Case, evaluate, train

CASES: tuple[Case, ...] = (
    Case("truth offset: with a decimal comma", evaluate("result.gpkg", truth_offset_s="2,5"), ("2,5", "auto")),
    Case("truth offset: no number", train(truth_offset_s="nan"), ("nan", "auto")),
    Case("truth offset: more than a day", evaluate("result.gpkg", truth_offset_s="90000"), ("90000", "a day")),
    Case(
        "truth offset: the video is looked for where nothing is",
        evaluate("result.gpkg", truth_offset_s="auto", videos="absent"),
        ("absent",),
    ),
    Case("truth offset: moves the track off the video", evaluate("result.gpkg", truth_offset_s="3600"), ("result.gpkg", "track")),
)
