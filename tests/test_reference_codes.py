"""Descriptors as codes, and the search among them, against numpy's own sorting and exact whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.reference import codes
from vidtag_engine.reference.codes import CodeSearch, decode, encode, fastest_product, float_product, scale_of
from vidtag_engine.types import FloatArray


def units(count: int, width: int, seed: int = 0) -> FloatArray:
    found = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    result: FloatArray = found / np.linalg.norm(found, axis=1, keepdims=True)
    return result


def exact(queries: FloatArray, stored: FloatArray) -> FloatArray:
    """Cosines of descriptors with what codes keep of the references, queries being codes of their own scale."""
    steps = np.abs(queries).max(axis=1, keepdims=True) / 127
    result: FloatArray = (np.rint(queries / steps) * steps).astype(np.float64) @ stored.T.astype(np.float64)
    return result


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 300), st.sampled_from([8, 96, 768, 1024, 1032, 4096]), st.integers(0, 9))
def test_the_float_path_gives_exactly_the_whole_numbers(queries, rows, width, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-127, 128, (n, width), dtype=np.int8) for n in (queries, rows))
    found = float_product(torch.from_numpy(a), torch.from_numpy(b))
    assert np.array_equal(found.numpy(), a.astype(np.int64) @ b.astype(np.int64).T)


def test_the_largest_sums_are_exact():
    a = torch.full((3, 4096), 127, dtype=torch.int8)
    for product in {float_product, fastest_product()}:
        assert (product(a, -a) == -(127**2) * 4096).all()


def test_where_torch_lacks_the_product_the_float_path_is_taken(monkeypatch):
    monkeypatch.delattr(torch, "_int_mm")
    fastest_product.cache_clear()
    try:
        assert fastest_product() is float_product
        stored = units(500, 64)
        scale = scale_of(stored)
        found = CodeSearch([encode(stored, scale)], scale).nearest(stored[:5], 3)
        assert found.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    finally:
        fastest_product.cache_clear()


def test_a_wrong_product_is_not_trusted(monkeypatch):
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: torch.zeros(len(a), b.shape[1], dtype=torch.int32))
    fastest_product.cache_clear()
    try:
        assert fastest_product() is float_product
    finally:
        fastest_product.cache_clear()


def test_codes_keep_a_number_to_half_a_step():
    given = units(300, 96)
    scale = scale_of(given)
    off = np.abs(decode(encode(given, scale), scale) - np.clip(given, -scale, scale))
    assert off.max() <= 0.5 * scale / 127 + 1e-6
    assert np.mean(np.abs(given) > scale) <= 1.5e-4


@pytest.mark.parametrize("block", [7, 64, 16_384])
@pytest.mark.parametrize("k", [1, 5, 90, 1000])
def test_nearest_are_those_of_a_full_sort(monkeypatch, block, k):
    monkeypatch.setattr(codes, "BLOCK_ROWS", block)
    stored, asked = units(400, 48), units(9, 48, 1)
    scale = scale_of(stored)
    written = encode(stored, scale)
    hidden = np.random.default_rng(2).random(400) < 0.3
    rows = np.flatnonzero(np.random.default_rng(3).random(400) < 0.6)
    search = CodeSearch([written[:150], written[150:150], written[150:]], scale, rows)
    found = search.nearest(asked, k, hidden)
    cosines = exact(asked, decode(written, scale))
    there = np.setdiff1d(rows, np.flatnonzero(hidden))
    assert found.rows.shape == (9, min(k, len(rows)))
    for frame in range(9):
        best = np.sort(cosines[frame, there])[::-1][:k]
        mine = found.similarity[frame][np.isfinite(found.similarity[frame])]
        assert len(mine) == min(k, len(there))
        np.testing.assert_allclose(mine, best[: len(mine)], atol=1e-5)
        own = found.rows[frame, : len(mine)]
        assert len(set(own.tolist())) == len(own)
        assert set(own.tolist()) <= set(there.tolist())
        np.testing.assert_allclose(cosines[frame, own], mine, atol=1e-5)


def test_no_reference_at_all():
    found = CodeSearch([], 1.0).nearest(units(2, 8), 5)
    assert not np.isfinite(found.similarity).any()


def test_all_hidden_are_nobodys_neighbours():
    stored = units(20, 16)
    found = CodeSearch([encode(stored, 0.5)], 0.5).nearest(stored[:2], 5, np.ones(20, dtype=bool))
    assert np.isneginf(found.similarity).all()


def test_very_many_frames_are_asked_part_by_part(monkeypatch):
    stored, asked = units(300, 24), units(23, 24, 4)
    search = CodeSearch([encode(stored, 0.5)], 0.5)
    whole = search.nearest(asked, 7)
    monkeypatch.setattr(codes, "_MOST_FRAMES", 5)
    parts = search.nearest(asked, 7)
    np.testing.assert_array_equal(parts.rows, whole.rows)
    np.testing.assert_array_equal(parts.similarity, whole.similarity)
