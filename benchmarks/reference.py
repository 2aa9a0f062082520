"""The database of reference images: how fast and how small its search is at a million images, beside the table before and FAISS."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.addition import ROW, Addition
from vidtag_engine.reference.codes import BLOCK_ROWS, CodeSearch, encode, scale_of
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.descriptor import Descriptor
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.indexing import indices, make_indices
from vidtag_engine.reference.manifest import Manifest
from vidtag_engine.reference.store import Store
from vidtag_engine.types import FloatArray, InputError, IntArray

from .reference_isles import isles, own_descriptors
from .reference_query import PLACES, QUERIES, REACH_M, SPACING_M, lattice, queried
from .reference_seneca import seneca

TITLE = "Reference images at city size (simulated descriptors), 60 frames onto 40,000 places"
REFERENCES, WIDTH, DISTRICTS, A_PLACE = 1_000_000, 96, 2_000, 5
TODAY = 50_000  # references that a checkpoint keeps at most, by the table of all of them
NEAR_TIE = 0.002
PAIRS = 5
METRE_DEG = 1.0 / 111_195.0


def run(seed: int = 0, *, world: Path | None = None) -> dict[str, Any]:
    """Build a database, ask it, and ask its peers the same; with a rendered world of isles, see what its answers are worth there instead.

    Args:
        seed: of the descriptors.
        world: what ``python -m simulator make-world`` wrote.
    """
    if world is not None:
        with progress_bar() as bar:
            found = isles(world, bar)
        own_rows, drives, asked = own_descriptors(world)
        own = at_scale(
            *varied(own_rows, asked, REFERENCES, seed),
            seed,
            drive=asked[:QUERIES],
            drives=drives[np.arange(REFERENCES) * len(drives) // REFERENCES],
        )
        return {"simulated": True, **found, **{f"isles_{name}": value for name, value in own.items()}}
    return at_scale(*synthetic(REFERENCES, seed), seed) | seneca()


def at_scale(
    descriptors: FloatArray, queries: FloatArray, seed: int, drive: FloatArray | None = None, drives: IntArray | None = None
) -> dict[str, Any]:
    """The figures of speed and memory, of references (N, D) and 60 frames (60, D) from anywhere; and of the index also those of 60 that follow each other."""
    references = len(descriptors)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        np.save(work / "queries.npy", queries)
        result: dict[str, Any] = {
            "simulated": True,
            "references": references,
            "dim": descriptors.shape[1],
            "cpu": instruction_sets(),
            "threads": torch.get_num_threads(),
        }
        store, result["build_s"] = built(work / "database", descriptors, seed, drives)
        result["disk_bytes_each"] = round(sum(file.stat().st_size for file in store.folder.rglob("*") if file.is_file()) / references)
        built(work / "one", descriptors[:1], seed)
        one, whole, area = (
            child(work / name, work / "queries.npy", part) for name, part in (("one", 1.0), ("database", 1.0), ("database", 0.1))
        )
        result |= {
            "query_s": whole["query_s"],
            "query_first_s": whole["first_s"],
            "over_s": whole["over_s"],
            "ram_gb": round((whole["peak_mb"] - one["peak_mb"]) / 1000, 3),
        }
        result |= {
            "area_query_s": area["query_s"],
            "area_first_s": area["first_s"],
            "area_mb": round(area["peak_mb"] - one["peak_mb"], 1),
            "area_references": area["references"],
        }
        found = np.load(work / "database.rows.npy")
        order = np.load(work / "database" / "segments" / "000001" / "rows.npy")["number"]
        result |= recalls(descriptors, queries, order[found])
        result |= by_index(store, descriptors, {"index": queries} | ({} if drive is None else {"index_drive": drive}), order)
        result |= beside_product(descriptors, queries)
        result |= beside_table(work, descriptors[:TODAY], queries, seed)
        result |= beside_faiss(descriptors, queries)
        shutil.rmtree(work / "database")
    return result


def synthetic(count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Descriptors (N, 768) of places in districts, five images each, and (60, 768) of other looks at some of them.

    Unit vectors that fill all directions, as whitened bands do: a query has a cosine of about .5 with its place's images, and far less with the next.
    """
    rng = np.random.default_rng(seed)
    wide = 8 * WIDTH
    districts = rng.standard_normal((DISTRICTS, wide)).astype(np.float32)
    found = np.empty((count, wide), dtype=np.float32)
    for begin in range(0, count, 50_000):
        part = slice(begin, min(begin + 50_000, count))
        number = np.arange(part.start, part.stop) // A_PLACE
        of_place = np.stack([np.random.default_rng([seed, place]).standard_normal(wide) for place in np.unique(number)]).astype(np.float32)
        looks = rng.standard_normal((part.stop - part.start, wide)).astype(np.float32)
        found[part] = of_place[number - number[0]] + looks + 0.4 * districts[number * A_PLACE // max(1, count // DISTRICTS) % DISTRICTS]
        found[part] /= np.linalg.norm(found[part], axis=1, keepdims=True)
    chosen = rng.integers(0, count // A_PLACE, QUERIES)
    asked = np.stack([np.random.default_rng([seed, place]).standard_normal(wide) for place in chosen])
    asked = asked + rng.standard_normal(asked.shape) + 0.4 * districts[chosen * A_PLACE // max(1, count // DISTRICTS) % DISTRICTS]
    return found, (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float32)


def varied(own: FloatArray, asked: FloatArray, count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Descriptors (N, D) that lie as a world's own (n, D) do: each of these moved by the difference of two others, a third as far; and 60 of its held-out frames."""
    rng = np.random.default_rng(seed)
    found = np.empty((count, own.shape[1]), dtype=np.float32)
    for begin in range(0, count, 50_000):
        part = slice(begin, min(begin + 50_000, count))
        of = np.arange(part.start, part.stop) * len(own) // count
        one, other = rng.integers(0, len(own), (2, len(of)))
        found[part] = own[of] + (own[one] - own[other]) / 3.0
        found[part] /= np.linalg.norm(found[part], axis=1, keepdims=True)
    return found, asked[rng.choice(len(asked), QUERIES, replace=False)]


def built(folder: Path, descriptors: FloatArray, seed: int, drives: IntArray | None = None) -> tuple[Store, float]:
    """A database of descriptors at places of a town, and the seconds that it took from descriptors to disk; a place's images are of a drive each."""
    rng = np.random.default_rng([seed, 1])
    rows = np.zeros(len(descriptors), dtype=ROW)
    side_m, wide = math.sqrt(PLACES) * SPACING_M, descriptors.shape[1] // 8
    places = rng.random((-(-len(rows) // A_PLACE), 2))[np.arange(len(rows)) // A_PLACE]
    rows["time_s"], rows["heading_deg"], rows["number"] = 1.7e9, np.nan, np.arange(len(rows))
    rows["drive"] = np.arange(len(rows)) % A_PLACE if drives is None else drives
    images = [ReferenceImage("simulated", str(number), "drive", 0.0, 0.0, licence="CC0-1.0") for number in range(len(rows))]
    since = time.perf_counter()
    empty = Store.create(folder, Manifest(folder.name, "vidtag-compact", 8, wide, 8, 1.0, SPACING_M), Descriptor(8, wide, 8))
    store = empty.add(Addition(descriptors, places * side_m * METRE_DEG, rows, images, [None] * len(rows)))
    return store, round(time.perf_counter() - since, 2)


def child(folder: Path, queries: Path, part: float) -> dict[str, Any]:
    """What a process of its own measures: see :mod:`.reference_query`."""
    command = [sys.executable, "-m", "benchmarks.reference_query", str(folder), str(queries), str(part)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parent.parent)
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def recalls(descriptors: FloatArray, queries: FloatArray, found: Any) -> dict[str, float]:
    """Shares of the nearest 20 and 200 that are found; one counts if its exact cosine is within a near tie of the exact last one's."""
    exact = queries @ descriptors.T
    result = {}
    for k in (20, 200):
        last = np.partition(exact, -k, axis=1)[:, -k]
        own = np.take_along_axis(exact, found[:, :k], axis=1)
        result[f"recall{k}"] = round(float((own >= last[:, None] - NEAR_TIE).mean()), 4)
        best = np.argpartition(-exact, k, axis=1)[:, :k]
        result[f"recall{k}_strict"] = round(
            float(np.mean([len(set(a) & set(b)) / k for a, b in zip(best.tolist(), found[:, :k].tolist(), strict=True)])), 4
        )
    return result


def by_index(store: Store, descriptors: FloatArray, asked: dict[str, FloatArray], order: Any) -> dict[str, Any]:
    """Of a database's index: seconds to make it, and of frames, together and each alone, seconds to scores, what they find and the share of the codes they read.

    Args:
        store: without an index, of one addition.
        descriptors: of its references.
        asked: frames (60, D) by the start of their figures' names.
        order: (N,) the reference that each row is.
    """
    since = time.perf_counter()
    try:
        [made] = make_indices(store)
    except InputError as error:  # FAISS is not installed
        return {"index_build_s": None, "index_why": str(error)}
    result: dict[str, Any] = {"index_build_s": round(time.perf_counter() - since, 1), "index_written": made.worth}
    result |= {"index_cells": made.cells, "index_probes": made.probes, "index_sample_recall200": round(made.recall, 4)}
    [index] = indices(store)
    if index is None:
        return result
    result["index_disk_bytes_each"] = round(sum(file.stat().st_size for file in store.folder.glob("segments/*/index/*")) / len(descriptors))
    everything = np.ones(len(descriptors), dtype=bool)
    exhaustive, parted = (CodeSearch(store.codes, store.manifest.scale, indices=own) for own in (None, [index]))
    for name, queries in asked.items():
        np.save(store.folder.with_suffix(".asked.npy"), queries)
        said = child(store.folder, store.folder.with_suffix(".asked.npy"), 1.0)
        found = recalls(descriptors, queries, order[np.load(store.folder.with_suffix(".rows.npy"))])
        near = index.near(queries, everything)
        alone = [index.near(one[None], everything) for one in queries]
        by_frame = np.concatenate([parted.nearest(one[None], 200).rows for one in queries])
        result |= {
            f"{name}_query_s": said["query_s"],
            f"{name}_recall20": found["recall20"],
            f"{name}_recall200": found["recall200"],
            f"{name}_recall200_of_all": recalls(descriptors, queries, order[exhaustive.nearest(queries, 200).rows])["recall200"],
            f"{name}_frame_recall200": recalls(descriptors, queries, order[by_frame])["recall200"],
            f"{name}_read_share": 1.0 if near is None else round(len(near) / len(descriptors), 4),
            f"{name}_frame_read_share": round(float(np.mean([1.0 if one is None else len(one) / len(descriptors) for one in alone])), 4),
        }
    return result


def beside_product(descriptors: FloatArray, queries: FloatArray) -> dict[str, float]:
    """The search beside one float32 product of everything with everything, in pairs."""
    scale = scale_of(descriptors)
    search = CodeSearch([encode(descriptors, scale)], scale)
    stored, asked = torch.from_numpy(descriptors), torch.from_numpy(queries)
    ratios, ours = [], []
    search.nearest(queries, 200)
    for _ in range(PAIRS):
        since = time.perf_counter()
        for begin in range(0, len(stored), BLOCK_ROWS):
            asked @ stored[begin : begin + BLOCK_ROWS].T
        middle = time.perf_counter()
        search.nearest(queries, 200)
        ours.append(time.perf_counter() - middle)
        ratios.append(ours[-1] / (middle - since))
    return {"peer_ratio": round(float(np.median(ratios)), 3), "search_s": round(float(np.median(ours)), 3)}


def beside_table(work: Path, descriptors: FloatArray, queries: FloatArray, seed: int) -> dict[str, float]:
    """CPU seconds of 60 frames' scores at 40,000 places from 50,000 references: a checkpoint's database, opened, by each frame's nearest; over the table of all."""
    wide = descriptors.shape[1] // 8
    store, _ = built(work / "today", descriptors, seed)
    memory = ReferenceDatabase(len(descriptors), 8, wide, 8)
    memory.embeddings.copy_(torch.from_numpy(descriptors))
    memory.lat_lon_deg.copy_(torch.from_numpy(store.lat_lon_deg[np.argsort(store.rows["number"])]))
    places, asked = lattice(), torch.from_numpy(queries)
    before, after = [], []
    for _ in range(3):
        since = time.process_time()
        memory.over(places, SPACING_M, REACH_M)(asked)
        middle = time.process_time()
        StoredReferences(Store.open(store.folder)).over(places, SPACING_M, REACH_M)(asked)
        before.append(middle - since)
        after.append(time.process_time() - middle)
    ratio = float(np.median(np.array(after) / np.array(before)))
    return {
        "today_ratio": round(ratio, 3),
        "today_before_cpu_s": round(float(np.median(before)), 2),
        "today_after_cpu_s": round(float(np.median(after)), 2),
    }


def beside_faiss(descriptors: FloatArray, queries: FloatArray) -> dict[str, Any]:
    """The fastest of FAISS's indices that finds as much (.98 of the nearest 200), where FAISS is installed: 8-bit codes, or product codes whose best are refined."""
    try:
        import faiss
    except ImportError:
        return {"faiss_ratio": None}
    wide = descriptors.shape[1]
    scale = scale_of(descriptors)
    search = CodeSearch([encode(descriptors, scale)], scale)
    search.nearest(queries, 200)
    plain = faiss.IndexScalarQuantizer(wide, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    scanned = faiss.IndexRefine(
        faiss.IndexPQFastScan(wide, wide // 4, 4, faiss.METRIC_INNER_PRODUCT),
        faiss.IndexScalarQuantizer(wide, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT),
    )
    scanned.k_factor = 20.0
    result: dict[str, Any] = {"faiss_ratio": None}
    best_s = math.inf
    for name, index in (("sq8", plain), ("pq192x4fs", scanned)):
        since = time.perf_counter()
        index.train(descriptors[:100_000])
        index.add(descriptors)
        result[f"faiss_{name}_build_s"] = round(time.perf_counter() - since, 1)
        index.search(queries, 200)
        ratios, taken = [], []
        for _ in range(PAIRS):
            since = time.perf_counter()
            _, found = index.search(queries, 200)
            middle = time.perf_counter()
            search.nearest(queries, 200)
            taken.append(middle - since)
            ratios.append((time.perf_counter() - middle) / (middle - since))
        said = recalls(descriptors, queries, found)
        result |= {f"faiss_{name}_s": round(float(np.median(taken)), 3), f"faiss_{name}_recall200": said["recall200"]}
        if said["recall200"] >= 0.98 and np.median(taken) < best_s:
            best_s, result["faiss_ratio"] = float(np.median(taken)), round(float(np.median(ratios)), 3)
    return result


def instruction_sets() -> str:
    """What the processor has for products of small whole numbers."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    flags = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return " ".join(name for name in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8") if name in flags) or "not known"


__all__ = ["TITLE", "queried", "run"]
