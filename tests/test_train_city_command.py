"""`vidtag train-city` and `vidtag evaluate` as they are typed: on CityGuessr68k's layout with real pictures, and on real videos where they are there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.test_datasets_cityguessr68k import line
from vidtag_engine.cli.app import app

CITIES = {"Makkah": (0, 0, 0, 0), "Abu_Dhabi": (1, 0, 0, 0), "Sydney": (2, 1, 1, 3)}
COLOURS = {"Makkah": (210, 170, 90), "Abu_Dhabi": (60, 90, 200), "Sydney": (50, 160, 70)}


def run(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Videos of five frames each, whose city shows in their colour and in their stripes."""
    folder = tmp_path_factory.mktemp("CityGuessr68k")
    (folder / "meta").mkdir()
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 3)):
        lines = []
        for city, labels in CITIES.items():
            for number in range(count):
                name = f"{city}_{number:04d}"
                place = folder / "videos" / split / city / name
                place.mkdir(parents=True)
                for frame in range(1, 6):
                    noise = rng.integers(-40, 40, (96, 128, 3))
                    stripes = 40 * (np.arange(128) // (4 + 5 * labels[0]) % 2)[None, :, None]
                    pixels = np.clip(np.array(COLOURS[city]) + noise + stripes, 0, 255).astype(np.uint8)
                    Image.fromarray(pixels).save(place / f"{frame}.jpg", quality=90)
                lines.append(line(name, *labels))
        (folder / "meta" / f"{split}_labels.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "meta" / "hierarchy_mappings.json").write_text(json.dumps([{"0": 0, "1": 0, "2": 1}, {"0": 0, "1": 1}, {"0": 0, "1": 3}]))
    names = [
        ("city", "state", "country", "continent"),
        ("Makkah", "Hejaz", "Saudi Arabia", "Asia"),
        ("Abu Dhabi", "Abu Dhabi", "UAE", "Asia"),
    ]
    with (folder / "meta" / "labels_list.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([*names, ("Sydney", "New South Wales", "Australia", "Oceania")])
    (folder / "city_centres.csv").write_text("city,lat,lon\n0,21.42,39.82\n1,24.45,54.38\n2,-33.87,151.21\n", encoding="utf-8")
    return folder


def test_on_cityguessr68k_from_folders_to_the_papers_table(root, tmp_path):
    output = tmp_path / "cities"
    said = run("train-city", "--dataset", "cityguessr68k", "--root", str(root), "--output", str(output), "--epochs", "20")
    assert said["cities"] == 3
    # Its own texts and scenes are learned from.
    assert said["metrics"]["scene_loss"] is True
    assert (output / "curve.png").stat().st_size > 5000
    found = run(
        "evaluate", "--dataset", "cityguessr68k", "--root", str(root), "--checkpoint", str(output), "--features", str(tmp_path / "f")
    )
    assert found["videos"] == 9
    assert set(found["modes"]) == {"codependent", "independent", "product"}
    assert found["modes"]["codependent"]["top1"] == {"city": 100.0, "state": 100.0, "country": 100.0, "continent": 100.0}
    assert found["modes"]["product"]["videos"]["city"] == 9
    video = root / "videos" / "val" / "Sydney" / "Sydney_0001"
    guessed = run("guess", "--images", str(video), "--checkpoint", str(output))
    best = guessed["videos"][0]["levels"]["city"][0]
    assert (best["name"], best["in"]) == ("Sydney", ["New South Wales", "Australia", "Oceania"])
    # Three held-out videos (one a city) do not tell how sure to be.
    assert best["probability"] is None
    assert any("Not rated" in note for note in guessed["notes"])


def test_what_cannot_be_is_a_sentence(root, tmp_path):
    def fails(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 2, done.output
        return json.loads(done.stdout.strip().splitlines()[-1])["error"]

    output = str(tmp_path / "out")
    data = ["--dataset", "cityguessr68k", "--root", str(root)]
    assert "brings its own videos" in fails("train-city", *data, "--video", "a.mp4", "--output", output)
    assert "needs a trained VidTAG" in fails(
        "train-city", *data, "--encoder", "tempgeo", "--output", output, "--features", str(tmp_path / "f")
    )
    assert "--dataset cityguessr68k" in fails("train-city", "--encoder", "videomae-s", "--output", output)
    assert "nothing to train on" in fails("train-city", "--output", output)
    assert "Recipe 'best' is unknown" in fails("train-city", *data, "--recipe", "best", "--output", output)


def test_what_is_typed_holds_beside_the_papers_recipe(root, tmp_path):
    """Also where it is what the default recipe would have."""
    output = tmp_path / "paper"
    run(
        "train-city", "--dataset", "cityguessr68k", "--root", str(root), "--recipe", "paper", "--encoder", "frames", "--epochs", "2",
        "--output", str(output),
    )  # fmt: skip
    settings = json.loads((output / "log.json").read_text(encoding="utf-8"))["settings"]
    assert (settings["encoder"], settings["epochs"]) == ("frames", 2)
    assert (settings["schedule"], settings["dropout"], settings["drawn_clips"]) == ("constant", 0.0, False)


@pytest.mark.slow
def test_real_flights_are_named_by_the_gazetteer(tmp_path):
    """Two real videos of one place are nothing to tell apart: the gazetteer names the same town for both, which is the sentence."""
    example = Path(__file__).resolve().parent.parent / "resources" / "example"
    videos = sorted(example.glob("*.mp4"))
    assert videos
    done = CliRunner().invoke(
        app, ["train-city", "--video", str(example), "--truth", str(example), "--output", str(tmp_path / "o"), "--fps", "0.2", "--json"]
    )
    assert done.exit_code == 2
    assert "All videos are of one city" in json.loads(done.stdout.strip().splitlines()[-1])["error"]
