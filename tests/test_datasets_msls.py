"""MSLS as it lies on disk: longitude first, two parts, files missing, times of two kinds; and the splits made from it."""

import numpy as np
import pytest

from tests.dataset_maker import MslsWriter, write_msls, write_table
from vidtag_engine.datasets import open_dataset
from vidtag_engine.types import InputError

CITIES = {"amsterdam": (52.3, 4.8), "goa": (15.3, 73.9)}


@pytest.fixture
def trapped(tmp_path):
    """One city with every trap; returns the root."""
    query, database = MslsWriter(tmp_path, "boston", "query"), MslsWriter(tmp_path, "boston", "database")
    # A: in both parts, its frames out of order, ten after nine; latitudes 42.300, 42.301, ...
    for t in reversed(range(20)):
        part = query if t % 2 else database
        part.add(f"a{t}", "A", t, 42.3 + t / 1000, -71.06 - t / 500, 1_400_000_000_000 + 500 * t)
    # B: dates only, so that times say nothing; six images are of no use, sixteen remain.
    for t in range(22):
        place = (42.35, -71.1 + t / 1000)
        if t == 2:
            database.add(f"b{t}", "B", t, *place, "2016-05-24", file=False)
        elif t == 5:
            database.add(f"b{t}", "B", t, *place, "2016-05-24", raw=False)
        elif t in {8, 9, 10, 11}:
            lat, lon = {8: ("", ""), 9: (0.0, 0.0), 10: (-71.1, 142.35 + 300), 11: ("nan", "nan")}[t]
            database.add(f"b{t}", "B", t, lat, lon, "2016-05-24")
        else:
            database.add(f"b{t}", "B", t, *place, "2016-05-24")
    database.add("b0", "B", 99, 42.35, -71.1, "2016-05-24")  # named twice
    database.add("b98", "B", "x", 42.35, -71.1, "2016-05-24")  # no number
    # C: fifteen images are one too few.
    for t in range(15):
        query.add(f"c{t}", "C", t, 42.4, -71.0, "2016-05-24 10:00:00")
    query.write(encoding="utf-8-sig")
    database.write()
    # A city whose positions were not published, and one of which only the tables were unpacked.
    write_table(tmp_path / "train_val" / "nowhere" / "query" / "seq_info.csv", ["key", "sequence_key", "frame_number"], [["k", "S", 0]])
    bare = MslsWriter(tmp_path, "bare", "database")
    for t in range(16):
        bare.add(f"z{t}", "Z", t, 1.5, 2.5, "-1", file=False)
    bare.write()
    return tmp_path


def test_every_trap(trapped):
    data = open_dataset("msls", trapped)
    by_name = {s.name: s for split in ("train", "val") for s in data.sequences(split)}
    assert set(by_name) == {"boston/A", "boston/B"}
    a, b = by_name["boston/A"], by_name["boston/B"]
    # Longitude stands first in the table; latitude first here.
    np.testing.assert_allclose(a.lat_lon_deg, [[42.3 + t / 1000, -71.06 - t / 500] for t in range(20)])
    np.testing.assert_allclose(a.time_s, np.arange(20) / 2)
    assert [path.stem for path in a.paths] == [f"a{t}" for t in range(20)]
    assert [path.parent.parent.name for path in a.paths[:2]] == ["database", "query"]
    assert all(path.is_file() for path in a.paths + b.paths)
    kept = [t for t in range(22) if t not in {2, 5, 8, 9, 10, 11}]
    assert [path.stem for path in b.paths] == [f"b{t}" for t in kept]
    np.testing.assert_allclose(b.lat_lon_deg[:, 1], [-71.1 + t / 1000 for t in kept])
    np.testing.assert_array_equal(b.time_s, np.arange(16))  # all of one day: the order is all there is
    assert a.region == "boston"
    assert data.report.counts == {
        "images that raw.csv does not name": 1,
        "images whose file is missing": 1 + 16,
        "images without a usable position": 4,
        "images named twice": 1,
        "images without a sequence or a frame number": 1,
        "sequences of fewer than 16 usable images": 2,
        "parts of cities without raw.csv": 1,
    }
    assert data.report.examples["images that raw.csv does not name"] == "boston/database/b5"


def test_columns_are_found_by_name_in_any_order(tmp_path):
    writer = MslsWriter(tmp_path, "cph", "database")
    for t in range(16):
        writer.add(f"k{t}", "S", t, 55.6 + t / 1000, 12.5, 1_500_000_000_000 + t)
    writer.write()
    rows = [[row[2], row[1], row[4], row[0]] for row in writer.raw]
    write_table(writer.folder / "raw.csv", ["lat", "lon", "captured_at", "key"], rows)
    np.testing.assert_allclose(open_dataset("MSLS", tmp_path).sequences("train")[0].lat_lon_deg[3], [55.603, 12.5])


def test_splits_are_by_sequence_within_each_city_and_seeded(tmp_path):
    truth = write_msls(tmp_path, CITIES, sequences=20, frames=16)
    data = open_dataset("msls", tmp_path, seed=3)
    names = {split: [s.name for s in data.sequences(split)] for split in ("train", "val")}
    assert sorted(names["train"] + names["val"]) == sorted(truth)
    for city in CITIES:
        assert sum(name.startswith(city) for name in names["val"]) == 2  # a tenth of twenty
    assert {i % 2 for i in (int(name[-3:]) for name in names["train"])} == {0, 1}  # query and database alike
    for sequence in data.sequences("val"):
        np.testing.assert_array_equal(sequence.lat_lon_deg, truth[sequence.name])
    again = open_dataset("msls", tmp_path, seed=3)
    assert [s.name for s in again.sequences("val")] == names["val"]
    assert any([s.name for s in open_dataset("msls", tmp_path, seed=seed).sequences("val")] != names["val"] for seed in (4, 5))
    # A further city changes nothing in the others.
    write_msls(tmp_path, {"tokyo": (35.6, 139.7)}, sequences=20, frames=16)
    more = [s.name for s in open_dataset("msls", tmp_path, seed=3).sequences("val")]
    assert [name for name in more if "tokyo" not in name] == names["val"]


def test_test_cities_count_only_with_positions(tmp_path):
    write_msls(tmp_path, {"goa": CITIES["goa"]}, sequences=3, frames=16)
    (tmp_path / "test" / "miami" / "query").mkdir(parents=True)
    with pytest.raises(InputError, match=r"split test of MSLS .*raw\.csv"):
        open_dataset("msls", tmp_path).sequences("test")
    writer = MslsWriter(tmp_path, "miami", "query", top="test")
    for t in range(16):
        writer.add(f"m{t}", "M", t, 25.7, -80.2, 1_500_000_000_000)
    writer.write()
    assert [s.name for s in open_dataset("msls", tmp_path).sequences("test")] == ["miami/M"]


def test_bad_folders_and_tables_get_a_sentence(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_dataset("msls", tmp_path / "no")
    with pytest.raises(InputError, match=r"no folder train_val .*archives"):
        open_dataset("msls", tmp_path).sequences("train")
    write_msls(tmp_path, {"goa": CITIES["goa"]}, sequences=2, frames=16)
    with pytest.raises(InputError, match="no split 'all'"):
        open_dataset("msls", tmp_path).sequences("all")
    with pytest.raises(InputError, match="no data set 'mslx'"):
        open_dataset("mslx", tmp_path)
    raw = tmp_path / "train_val" / "goa" / "query" / "raw.csv"
    raw.write_text(",key,x,y\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"goa/query/raw\.csv has no column lon"):
        open_dataset("msls", tmp_path).sequences("train")
    raw.write_bytes(b"\xff\xfe\x00key")
    with pytest.raises(InputError, match=r"goa/query/raw\.csv cannot be read"):
        open_dataset("msls", tmp_path).sequences("train")
