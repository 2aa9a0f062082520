"""CityGuessr68k as it lies on disk: lines of 533 fields, frames that are not zero-padded, and cities without positions."""

import json

import numpy as np
import pytest

from tests.dataset_maker import write_jpeg
from vidtag_engine.datasets import PlaceLabels, open_dataset
from vidtag_engine.types import InputError

# Cities 0 and 1 share a state; 2 lies on another continent.
MAPPINGS = [{"0": 0, "1": 0, "2": 1}, {"0": 0, "1": 1}, {"0": 0, "1": 3}]
CENTRES = "city,lat,lon\n0,21.4,39.8\nabu dhabi,24.45,54.38\n2,-33.87,151.21\n"


def line(path, city, state, country, continent, scene=None, text=None):
    rng = np.random.default_rng(city)
    scene = rng.dirichlet(np.ones(16)) if scene is None else scene
    text = rng.normal(size=512) if text is None else text
    return ",".join([path, *map(str, (city, state, country, continent)), *(f"{v:.6f}" for v in text), *map(str, scene)])


@pytest.fixture
def root(tmp_path):
    videos = {"train": ["Makkah_0000", "Abu_Dhabi_0001"], "val": ["Sydney_0007", "Abu_Dhabi_0002"]}
    for split, names in videos.items():
        for name in names:
            for number in (1, 2, 3, 10, 11):
                write_jpeg(tmp_path / "videos" / split / name.rpartition("_")[0] / name / f"{number}.jpg")
    meta = tmp_path / "meta"
    meta.mkdir()
    scene = np.arange(16) / 120
    (meta / "train_labels_all.txt").write_text(
        "\n".join([
            line("/home/someone/frames/train/Makkah/Makkah_0000", 0, 0, 0, 0, scene, np.arange(512) / 512),
            line("Abu_Dhabi_0001", 1, 0, 0, 0),
            line("Makkah_0404", 0, 0, 0, 0),
            line("Makkah_0405", 0, 1, 0, 0),
        ])
    )  # fmt: skip
    (meta / "val_labels_all.txt").write_text(
        "\n".join([line("val/Sydney/Sydney_0007/", 2, 1, 1, 3), line("Abu_Dhabi_0002", 1, 0, 0, 0), ""])
    )
    (meta / "hierarchy_mappings.json").write_text(json.dumps(MAPPINGS))
    (tmp_path / "city_centres.csv").write_text(CENTRES)
    return tmp_path


def test_lines_frames_and_centres(root):
    data = open_dataset("cityguessr68k", root)
    train, val = data.sequences("train"), data.sequences("val")
    assert [s.name for s in train] == ["train/Makkah_0000", "train/Abu_Dhabi_0001"]
    assert [s.name for s in val] == ["val/Sydney_0007", "val/Abu_Dhabi_0002"]
    makkah = train[0]
    assert [path.name for path in makkah.paths] == ["1.jpg", "2.jpg", "3.jpg", "10.jpg", "11.jpg"]  # not 1, 10, 11, 2
    assert all(path.is_file() for path in makkah.paths)
    np.testing.assert_array_equal(makkah.lat_lon_deg, [[21.4, 39.8]] * 5)
    np.testing.assert_array_equal(train[1].lat_lon_deg[0], [24.45, 54.38])  # by name: "abu dhabi" is Abu_Dhabi
    assert makkah.labels == PlaceLabels(0, 0, 0, 0)
    assert val[0].labels == PlaceLabels(2, 1, 1, 3)
    np.testing.assert_allclose(makkah.scene, np.arange(16) / 120)
    np.testing.assert_allclose(makkah.text, np.arange(512) / 512, atol=1e-3)
    assert makkah.text.nbytes == 1024  # 68,269 videos of them are 70 MB
    assert data.hierarchy == tuple(MAPPINGS)
    assert data.report.counts == {"videos without frames on disk": 1, "videos whose labels contradict hierarchy_mappings.json": 1}


def test_gallery_is_every_citys_centre(root):
    data = open_dataset("cityguessr68k", root)
    grid = data.gallery()
    assert {tuple(p) for p in grid.points(0, grid.count).round(9).tolist()} == {(21.4, 39.8), (24.45, 54.38), (-33.87, 151.21)}
    assert data.training_grid().digest == grid.digest
    assert len(data.area().geometry.geoms) == 3
    assert [city.labels.city for city in data.cities] == [0, 1, 2]


def test_names_alone_take_their_labels_from_the_list_of_names(root):
    (root / "meta" / "train_labels_all.txt").write_text("Makkah_0000\nAbu_Dhabi_0001\n")
    (root / "meta" / "val_labels_all.txt").write_text("Sydney_0007\n")
    names = "city,state,country,continent\nMakkah,Makkah Province,Saudi Arabia,Asia\nAbu_Dhabi,Abu Dhabi,UAE,Asia\nSydney,NSW,Australia,Oceania\n"
    (root / "labels_list.csv").write_text(names)
    (root / "city_centres.csv").write_text("city,latitude,longitude\nMakkah,21.4,39.8\nAbu Dhabi,24.45,54.38\nSydney,-33.87,151.21\n")
    data = open_dataset("cityguessr68k", root)
    assert data.sequences("train")[1].labels == PlaceLabels("Abu_Dhabi", "Abu Dhabi", "UAE", "Asia")
    assert data.gallery().count == 3


def test_what_is_wrong_is_named(root):
    centres = root / "city_centres.csv"
    centres.write_text("city,lat,lon\n0,21.4,39.8\n1,24.45,54.38\n")
    with pytest.raises(InputError, match=r"no row for the city 2 \(Sydney\)"):
        open_dataset("cityguessr68k", root).sequences("val")
    centres.write_text("city,lat,lon\n0,121.4,39.8\n")
    with pytest.raises(InputError, match=r"gives '0' no usable latitude"):
        open_dataset("cityguessr68k", root)
    centres.unlink()
    with pytest.raises(InputError, match=r"put city_centres\.csv with the columns city, lat, lon"):
        open_dataset("cityguessr68k", root)
    centres.write_text(CENTRES)
    text = root / "meta" / "val_labels_all.txt"
    for wrong, said in (
        ("a/b,1,2,3", r"val_labels_all\.txt, line 1 has 4 fields"),
        ("a/b,1,2,3,x", "line 1 has a label that is no number"),
        ("../..,1,0,0,0", "line 1 names no folder"),
        (line("Sydney_0007", 2, 1, 1, 3, scene=[float("nan")] * 16), "line 1 has a scene or text label that is not finite"),
    ):
        text.write_text(wrong)
        with pytest.raises(InputError, match=said):
            open_dataset("cityguessr68k", root).sequences("val")
    text.unlink()
    with pytest.raises(InputError, match=r"no val_labels\*\.txt"):
        open_dataset("cityguessr68k", root).sequences("val")
    mappings = root / "meta" / "hierarchy_mappings.json"
    for wrong in ("[]", '[{"0": "a"}, {}, {}]', "{"):
        mappings.write_text(wrong)
        with pytest.raises(InputError, match=r"hierarchy_mappings\.json"):
            open_dataset("cityguessr68k", root)


def test_no_path_leads_out_of_the_folder(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "Evil_0001"
    write_jpeg(outside / "1.jpg")
    (root / "city_centres.csv").write_text(CENTRES + "9,1.5,2.5\n")
    (root / "meta" / "hierarchy_mappings.json").unlink()
    (root / "meta" / "train_labels_all.txt").write_text(line(str(outside), 9, 0, 0, 0) + "\n" + line("Makkah_0000", 0, 0, 0, 0))
    data = open_dataset("cityguessr68k", root)
    assert [s.name for s in data.sequences("train")] == ["train/Makkah_0000"]
