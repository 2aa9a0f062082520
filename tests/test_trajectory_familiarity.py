"""How strange a video is where few were held out: each is compared with all the others, and a single one block by block."""

from dataclasses import replace

import numpy as np
import pytest

from vidtag_engine.calibration import fit_novelty
from vidtag_engine.trajectory import NoveltyDetector


def drawn(seed: int, count: int, frames: int = 24, towards: int = 0) -> list[np.ndarray]:
    """Videos of one kind: frames about one of twelve directions that are common to the kind."""
    rng = np.random.default_rng(seed)
    kinds = np.random.default_rng(1000 + towards).normal(size=(12, 16))
    return [(kinds[rng.integers(0, 12, frames)] + rng.normal(0, 0.3, (frames, 16))).astype(np.float32) for _ in range(count)]


def left_out_one_by_one(parts: list[np.ndarray]) -> np.ndarray:
    """Each one's strangeness to a summary of the rest, asked for with as many held-out videos as need no leaving out."""
    found = [fit_novelty([other for other in parts if other is not one], [one] * 8).held_out for one in parts]
    assert all(np.ptp(same) == 0.0 for same in found)
    return np.sort([same[0] for same in found])


@pytest.mark.parametrize(("training", "held_out"), [(3, 0), (4, 1), (9, 7)])
def test_where_few_are_held_out_every_video_is_compared_with_all_others(training, held_out):
    videos = drawn(1, training + held_out)
    known = fit_novelty(videos[:training], videos[training:])
    np.testing.assert_allclose(known.held_out, left_out_one_by_one(videos), atol=1e-6)


def test_enough_held_out_videos_are_compared_with_the_training_alone():
    videos = drawn(2, 20)
    known = fit_novelty(videos[:12], videos[12:])
    assert known.held_out.tolist() == sorted(known.novelty_score(one) for one in videos[12:])


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_videos_are_compared_block_by_block(count):
    videos = drawn(3, count, 64)
    known = fit_novelty(videos, [])
    blocks = [video[start : start + 8] for video in videos for start in range(0, 64, 8)]
    assert len(known.held_out) == 8 * count
    # Those of one video are compared with each other, those of two with the other video.
    expected = (
        left_out_one_by_one(blocks)
        if count == 1
        else np.sort([fit_novelty([videos[1 - number // 8]], [block] * 8).held_out[0] for number, block in enumerate(blocks)])
    )
    np.testing.assert_allclose(known.held_out, expected, atol=1e-6)
    assert known.tells


@pytest.mark.parametrize("frames", [2, 7, 23])
def test_a_video_too_short_for_three_blocks_says_nothing(frames):
    known = fit_novelty(drawn(4, 1, frames), [])
    assert not known.tells
    assert np.isnan(known.p_value(drawn(5, 1)[0]))
    assert not known.is_novel(known.p_value(drawn(5, 1, towards=1)[0]))


@pytest.mark.parametrize(("videos", "frames"), [(1, 160), (5, 40), (18, 40)])
def test_few_videos_tell_another_kind_from_their_own(videos, frames):
    known = fit_novelty(drawn(6, videos, frames), [])
    own, foreign = ([known.is_novel(known.p_value(one)) for one in drawn(7, 40, 40, towards)] for towards in (0, 1))
    assert np.mean(own) <= 0.15
    assert np.mean(foreign) >= 0.8


@pytest.mark.parametrize("videos", [2, 5, 9, 18, 60, 99, 400])
def test_novel_is_rarer_than_so_many_videos_could_show(videos):
    known = NoveltyDetector(np.zeros(2), np.eye(2), np.eye(2), np.full(videos, 0.2))
    least = 1.0 / (videos + 1)
    # Many videos need not be rarer than one in a hundred, and few must be rarer than one in ten.
    assert known.is_novel(0.9 * min(max(least, 0.01), 0.1))
    assert not known.is_novel(1.1 * max(least, 0.01))
    assert not known.is_novel(0.11)
    assert not known.is_novel(float("nan"))


def test_a_score_is_the_distance_to_the_nearest_training_picture_that_the_nearest_fifth_keep():
    """By brute force, where every picture is a centre and every axis is kept."""
    videos = drawn(8, 4)
    known, new = fit_novelty(videos, []), drawn(9, 1)[0]
    training = np.concatenate(videos)
    nearest = np.linalg.norm(new[:, None] - training, axis=2).min(axis=1)
    assert known.novelty_score(new) == pytest.approx(np.quantile(nearest, 0.2), rel=0.02)
    # What lies off all axes of training counts in full.
    off = np.concatenate([training, np.zeros((len(training), 4))], axis=1)
    beside = np.concatenate([new, np.full((len(new), 4), 3.0)], axis=1)
    assert fit_novelty([off], []).novelty_score(beside) == pytest.approx(np.quantile(np.hypot(nearest, 6.0), 0.2), rel=0.02)


def test_what_was_whitened_before_is_read_as_it_was():
    rng = np.random.default_rng(10)
    old = NoveltyDetector(rng.normal(size=6), rng.normal(size=(3, 6)), np.eye(3), np.full(9, 0.2), whitened=True)
    values = {name: value for name, value in old.to_dict().items() if name != "whitened"}
    again, video = NoveltyDetector.from_dict(values), rng.normal(size=(5, 6))
    assert again.whitened
    white = (video - again.mean) @ again.axes.T
    cosines = white / np.linalg.norm(white, axis=1, keepdims=True)
    assert again.novelty_score(video) == pytest.approx(1.0 - cosines.max(axis=1).mean(), abs=1e-5)
    assert not NoveltyDetector.from_dict(fit_novelty(drawn(11, 4), []).to_dict()).whitened


def test_parts_of_one_video_are_not_compared_with_each_other_where_there_is_another():
    one, two = drawn(12, 2, 64)
    parts, names = [one[:40], one[48:], two[:32], one[40:48], two[32:]], ["a[0:40]", "a[48:64]", "b[0:32]", "a[40:48]", "b[32:64]"]
    known = fit_novelty(parts[:3], parts[3:], names=names)
    expected = []
    for part, name in zip(parts, names, strict=True):
        others = [other for other, of in zip(parts, names, strict=True) if of[0] != name[0]]
        expected += [fit_novelty(others, [block] * 8).held_out[0] for block in np.array_split(part, max(1, len(part) // 8))]
    np.testing.assert_allclose(known.held_out, np.sort(expected), atol=1e-6)
    # Eight held-out blocks of the one video that was trained on are not eight videos: they are compared with its other blocks, and these with them.
    (long,) = drawn(13, 1, 128)
    blocks = [long[start : start + 8] for start in range(64, 128, 8)]
    assert (
        len(fit_novelty([long[:64]], blocks, names=["a[0:64]", *(f"a[{start}:{start + 8}]" for start in range(64, 128, 8))]).held_out) == 16
    )
    assert len(fit_novelty([long[:64]], blocks).held_out) == 8


def test_few_frames_are_judged_beside_as_few_of_held_out_videos():
    known = fit_novelty(drawn(14, 20, 40), drawn(15, 60, 40))
    assert [length for length, _ in known.pieces] == [1, 2, 4, 8, 16]
    again = NoveltyDetector.from_dict(known.to_dict())
    for frames in (1, 2, 3, 5, 12):
        own, foreign = ([video[:frames] for video in drawn(16, 200, 40, towards)] for towards in (0, 1))
        assert np.mean([again.p_value(one) < 0.05 for one in own]) < 0.12
        assert np.mean([again.p_value(one) < 0.05 for one in foreign]) > 0.5
    # Beside whole videos, whose nearest fifth is of forty frames, single frames of their own kind would mostly be strange.
    whole = replace(again, pieces=())
    assert np.mean([whole.p_value(video[:1]) < 0.05 for video in drawn(16, 200, 40)]) > 0.3
