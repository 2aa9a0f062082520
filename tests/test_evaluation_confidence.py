"""Scores of probabilities, regions and verdicts, against worked examples and other people's formulas."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from scipy.stats import binom
from sklearn.metrics import brier_score_loss

from tests.test_evaluation_evaluate import drive, provenance
from vidtag_engine.evaluation import evaluate_geopackage, evaluate_results
from vidtag_engine.evaluation.confidence import binomial_interval, html_tables, reliability_picture
from vidtag_engine.evaluation.markdown_report import write_markdown
from vidtag_engine.export import write_geopackage
from vidtag_engine.types import FrameState, Hypotheses, Verdict

RADII = (25.0, 100.0, 500.0, 1000.0)


def sure(name, east_m, within, *, held=(), state=FrameState.LOCATED, frames=20, lon=179.9990):
    """A drive ``east_m`` off with probabilities ``within`` (4,) or (T, 4); the regions of rows in ``held`` hold the truth."""
    result, truth = drive(name, frames=frames, east_m=east_m, lon=lon)
    t = result.trajectory
    nothing = np.full(frames, np.nan)
    good = [shapely.box(x - 0.01, y - 0.01, x + 0.01, y + 0.01) for x, y in zip(truth.lon_deg, truth.lat_deg, strict=True)]
    regions = tuple(one if row in held else shapely.box(0, 0, 0.02, 0.02) for row, one in enumerate(good))
    hypotheses = Hypotheses(
        RADII,
        np.broadcast_to(within, (frames, 4)).astype(float),
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        regions,
        regions,
        t.lat_deg,
        t.lon_deg,
    )
    verdict = Verdict(
        state, 0.9, 0.5, tuple(np.mean(hypotheses.within, axis=0)), 1.0, None, None, "" if state is FrameState.LOCATED else "Because."
    )
    return replace(result, trajectory=replace(t, hypotheses=hypotheses, verdict=verdict)), truth


def test_radii_by_hand():
    near, near_truth = sure("near.mp4", 10.0, (0.9, 0.9, 0.9, 0.9))
    far, far_truth = sure("far.mp4", 200.0, (0.2, 0.4, 0.9, 1.0))
    scores = evaluate_results([near, far], {"near.mp4": near_truth, "far.mp4": far_truth}).confidence
    assert [one.radius_m for one in scores.radii] == list(RADII)
    first, second, third, _ = scores.radii
    assert (first.frames, first.share_within, first.mean) == (40, 0.5, pytest.approx(0.55))
    right = np.repeat([1, 0], 20)
    for one, said in ((first, (0.9, 0.2)), (second, (0.9, 0.4))):
        assert one.brier == pytest.approx(brier_score_loss(right, np.repeat(said, 20)))
        assert one.brier_skill == pytest.approx(1 - one.brier / 0.25)
        assert one.ece == pytest.approx((abs(said[0] - 1) + said[1]) / 2)
    assert [(one.sure, one.sure_within) for one in (first, third)] == [(20, 1.0), (40, 1.0)]
    fourth = evaluate_results([far], far_truth).confidence.radii[1]
    assert fourth.sure == 0
    assert np.isnan(fourth.sure_within)
    assert third.share_within == 1.0
    assert np.isnan(third.brier_skill)
    assert [(b.count, b.mean_confidence, b.share_correct) for b in first.bins] == [
        (20, pytest.approx(0.2), 0.0),
        (20, pytest.approx(0.9), 1.0),
    ]


def test_coverage_counts_videos_not_frames():
    drives = [sure(f"{i}.mp4", 10.0, (0.5,) * 4, held=range(20) if i < 10 else ()) for i in range(11)]
    long, truth = sure("long.mp4", 10.0, (0.5,) * 4, frames=400)  # one long video must not outvote the others
    scores = evaluate_results([*(r for r, _ in drives), long], {r.info.name: t for r, t in drives} | {"long.mp4": truth}).confidence
    fifty, ninety = scores.regions
    assert (ninety.videos, ninety.frames) == (12, 620)
    assert ninety.coverage == fifty.coverage == pytest.approx(10 / 12)
    assert (ninety.low, ninety.high) == pytest.approx((binom.ppf(0.025, 12, 0.9) / 12, binom.ppf(0.975, 12, 0.9) / 12))
    assert ninety.inside_interval
    assert not fifty.inside_interval
    assert ninety.median_km2 == pytest.approx(4.9, abs=0.2)  # 0.02° squared, near the equator and at 17° south
    assert ninety.mean_parts == 1


def test_the_interval_holds_as_many_as_it_says():
    low, high = binomial_interval(0.9, 900)
    share = np.random.default_rng(0).binomial(900, 0.9, 20_000) / 900
    assert ((share >= low) & (share <= high)).mean() == pytest.approx(0.95, abs=0.01)


def test_a_region_across_the_antimeridian_holds_the_truth():
    result, truth = drive("seam.mp4", frames=5, lon=-179.9999)
    t = result.trajectory
    region = shapely.box(179.9, -18, 180.0, -16).union(shapely.box(-180.0, -18, -179.9, -16))
    nothing = np.full(5, np.nan)
    found = Hypotheses(
        RADII, np.full((5, 4), 0.5), nothing, nothing, nothing, nothing, nothing, (region,) * 5, (region,) * 5, t.lat_deg, t.lon_deg
    )
    scores = evaluate_results([replace(result, trajectory=replace(t, hypotheses=found))], truth).confidence
    assert [one.coverage for one in scores.regions] == [1.0, 1.0]
    assert scores.states == {"no verdict": 1}


def test_report_in_every_form(tmp_path):
    from rich.console import Console

    near, near_truth = sure("near|x.mp4", 10.0, (0.9, 0.95, 0.97, 0.99), held=range(20))
    odd, odd_truth = sure("odd.mp4", 10.0, (0.1, 0.2, 0.3, 0.4))
    nothing = np.full(20, np.nan)
    odd = replace(
        odd,
        trajectory=replace(
            odd.trajectory, lat_deg=nothing, lon_deg=nothing, confidence=nothing, state=(FrameState.OUTSIDE_AOI,) * 20,
            verdict=replace(odd.trajectory.verdict, state=FrameState.OUTSIDE_AOI, why="Because."),
        ),
    )  # fmt: skip
    path = tmp_path / "r.gpkg"
    write_geopackage(path, [near, odd], provenance())
    report = evaluate_geopackage(path, {"near|x.mp4": near_truth, "odd.mp4": odd_truth})
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))["confidence"]
    assert values["states"] == {"located": 1, "outside_aoi": 1}
    assert values["radii"][0]["frames"] == 20  # the withheld ones are not judged
    assert values["radii"][0]["bins"][0]["count"] == 20
    assert values["regions"][1]["coverage"] == 1.0
    assert {"20: the frame is outside_aoi"} <= {note.split("(")[-1].rstrip(").") for note in report.notes()}
    files = write_markdown(tmp_path / "report.md", report)
    assert [one.name for one in files] == ["report.md", "report.reliability.png"]
    text = files[0].read_text(encoding="utf-8")
    assert "| 25 m | 20 | 0.900 | 1.000 | 0.100 | 0.010 | – | 20 | 1.000 |" in text
    assert "near\\|x.mp4" in text
    assert "Verdicts by video: located 1, outside aoi 1." in text
    assert "| 90 % | 1 | 20 | 100.0 % |" in text
    assert files[1].read_bytes() == reliability_picture(report.confidence)
    assert files[1].read_bytes().startswith(b"\x89PNG")
    page = html_tables(report.confidence)
    assert page.count("<table>") == page.count("</table>") == 3
    assert "<td>25 m</td>" in page
    console = Console(file=io.StringIO(), width=160)
    for table in report.confidence_tables():
        console.print(table)
    assert "Brier skill" in console.file.getvalue()


def test_a_result_without_hypotheses_has_no_such_part(tmp_path):
    result, truth = drive()
    report = evaluate_results([result], truth)
    assert report.confidence is None
    assert report.to_dict()["confidence"] is None
    assert report.confidence_tables() == []
    assert [one.name for one in write_markdown(tmp_path / "r.md", report)] == ["r.md"]
