"""The page on what ships quotes the one file that has its figures."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIGURES = json.loads((ROOT / "docs" / "tables" / "recognition.json").read_text(encoding="utf-8"))
ROWS = {
    "what a training leaves: the default": "shipped",
    "its reference frames and the decoder, no networks": "references",
    "its networks and the decoder, no reference frames": "networks",
    "re-ranked by details (`--local-features xfeat`)": "reranked",
}


@pytest.mark.parametrize(("name", "row"), ROWS.items())
def test_the_page_has_the_figures_of_the_file(name: str, row: str) -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    [line] = [one for one in page.splitlines() if one.startswith(f"| {name} |")]
    cells = [one.strip() for one in line.strip("|").split("|")][1:]

    def of(key: str) -> float | int | None:
        return FIGURES[f"{row}_{key}"]

    said = "none said" if not of("all_said80") else f"{of('all_said80_wrong')} % of {of('all_said80'):,}"
    assert cells[:7] == [
        f"{of('same_way_a05km')}; {of('same_way_within_50m')} %",
        f"{of('other_way_a05km')}; {of('other_way_within_50m')} %",
        f"{of('never_driven_a05km')} %",
        f"{of('all_a05km')} %",
        said,
        f"{of('ece')}",
        f"{of('same_way_coverage_90')}, {of('other_way_coverage_90')}, {of('never_driven_coverage_90')} %",
    ]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("shipped_over_references_other_way", "{:.1f} points the other way ({} to {})"),
        ("shipped_over_references_all", "{:.1f} of all ({} to {})"),
        ("reranked_over_either_way_same_way", "{:.1f} points the same way ({} to {})"),
        ("reranked_over_either_way_all", "{:.1f} of all ({} to {})"),
    ],
)
def test_differences_are_those_of_the_file(key: str, text: str) -> None:
    assert text.format(*FIGURES[key]) in (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
