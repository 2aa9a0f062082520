"""CityGuessr trained, calibrated, saved and loaded: on made-up videos whose cities are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import torch

from tests.city_maker import CENTRES, CHAINS, video, videos
from vidtag_engine.calibration.cities import fit_cities, fit_foreign
from vidtag_engine.calibration.levels import level_scores
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference.city_guess import CityCalibration, CityGuesser
from vidtag_engine.models.checkpoint import from_pretrained
from vidtag_engine.models.city_checkpoint import load_city
from vidtag_engine.models.cityguessr import Hierarchy
from vidtag_engine.training.city import train_city
from vidtag_engine.training.city_data import named_by_gazetteer, numbered, read_labels, table_from_places, table_from_videos
from vidtag_engine.training.city_run import split_cities
from vidtag_engine.training.city_settings import city_recipe
from vidtag_engine.types import LEVELS, CancelledError, InputError

SETTINGS = city_recipe("default", parts="plain", epochs=25, dropout=0.1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cities") / "checkpoint"
    training = videos(6)
    return train_city(training, videos(4, start=50), table_from_videos(training), folder, SETTINGS), folder


def as_tensor(one):
    return one.read(range(one.count))


def test_it_learns_and_tells_cities_with_their_parents(trained):
    result, _ = trained
    assert result.card.metrics["top1_product"] == {level: 100.0 for level in LEVELS}
    for city in range(len(CHAINS)):
        guess = result.guesser.guess(as_tensor(video(city, 99)))
        assert guess.why == ""
        best = guess.places(0, 1)[0]
        assert best.names == CHAINS[city]
        assert 0.5 < best.probability < 1.0
        # A level's probability is the sum over its cities, so no place is likelier than what it lies in.
        shares = [guess.places(level, 1)[0].probability for level in range(4)]
        assert shares == sorted(shares)
        assert [guess.level(level).sum() for level in range(4)] == pytest.approx([1.0] * 4)


def test_what_it_does_not_know_is_said(trained):
    result, _ = trained
    foreign = [result.guesser.guess(as_tensor(video(100 + number, 0))) for number in range(10)]
    known = [result.guesser.guess(as_tensor(video(number % 6, 70 + number))) for number in range(24)]
    assert sum(bool(one.why) for one in foreign) >= 9
    assert sum(bool(one.why) for one in known) <= 2
    assert "None of the 6 cities" in next(one.why for one in foreign if one.why)


def test_a_checkpoint_read_again_guesses_the_same(trained):
    result, folder = trained
    net, table, card, arrays = load_city(folder)
    again = CityGuesser(net, table, CityCalibration.from_dict(card.calibration, arrays))
    one = as_tensor(video(2, 77))
    before, after = result.guesser.guess(one), again.guess(one)
    # Matrices are stored in half precision.
    assert np.exp(after.log_probability) == pytest.approx(np.exp(before.log_probability), abs=5e-3)
    assert after.foreign_p == pytest.approx(before.foreign_p, rel=0.05)
    assert after.table.names == before.table.names
    assert all(
        one.symmetric_difference(other).area < 1e-3 * one.area
        for one, other in zip(after.table.outlines, before.table.outlines, strict=True)
    )
    assert card.training_extent == pytest.approx(shapely.union_all(table.outlines).bounds, abs=1e-4)
    # The file of weights alone is a whole checkpoint.
    alone, _, own, _ = load_city(folder / "model.safetensors")
    assert own == card
    assert torch.equal(alone.head.heads[0].weight, net.head.heads[0].weight)


def test_damaged_and_foreign_checkpoints_are_one_sentence(trained, tmp_path):
    _, folder = trained
    with pytest.raises(InputError, match="tells cities, not places in a street: give it to 'vidtag guess'"):
        from_pretrained(folder)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    card = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    for change, said in (
        ({"preset": "vidtag-compact"}, "is no CityGuessr checkpoint"),
        ({"format_version": 9}, "format version 9"),
        ({"sha256": "0" * 64}, "is damaged"),
        ({"cities": {**card["cities"], "state_of_city": [9] * 6}}, "contradicts itself"),
        ({"cities": {}}, "table of cities is damaged"),
        ({"config": {}}, "invalid configuration"),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**card, **change}), encoding="utf-8")
        with pytest.raises(InputError, match=said):
            load_city(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-8])
    with pytest.raises(InputError, match="cut short or damaged"):
        load_city(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        load_city(tmp_path / "nothing")
    demo = Path(__file__).resolve().parent.parent / "resources" / "demo" / "checkpoint"
    with pytest.raises(InputError, match="no CityGuessr checkpoint: give one that 'vidtag train-city' wrote"):
        load_city(demo)


def test_stopped_and_gone_on_with_it_is_as_if_it_had_never_stopped(tmp_path):
    training, held = videos(3), videos(2, start=50)
    table = table_from_videos(training)
    whole = train_city(training, held, table, tmp_path / "whole", SETTINGS)
    seen = []

    def stop() -> bool:
        return len(seen) > 7

    with pytest.raises(CancelledError, match="run the same command again"):
        train_city(training, held, table, tmp_path / "parts", SETTINGS, feedback=Feedback(seen.append, stop))
    again = train_city(training, held, table, tmp_path / "parts", SETTINGS)
    one = as_tensor(video(1, 88))
    assert np.array_equal(whole.guesser.guess(one).log_probability, again.guesser.guess(one).log_probability)
    strip = [{key: value for key, value in row.items() if key != "seconds"} for row in again.rows]
    assert strip == [{key: value for key, value in row.items() if key != "seconds"} for row in whole.rows]


def test_too_few_held_out_videos_rate_nothing():
    training = videos(3)
    result = train_city(training, videos(1, start=50), table_from_videos(training), None, SETTINGS)
    guess = result.guesser.guess(as_tensor(video(0, 60)))
    assert not guess.rated
    assert np.isnan([place.probability for place in guess.places(0)]).all()
    assert guess.places(0, 1)[0].names == CHAINS[0]


def test_outlines_hold_their_own_frames_and_no_others():
    training = videos(4)
    table = table_from_videos(training)
    assert table.counts == (6, 4, 3, 2)
    for one in training:
        own = next(city for city in range(len(table)) if table.chain_names(city) == one.chain)
        inside = [city for city, outline in enumerate(table.outlines) if outline.contains(shapely.Point(*one.lat_lon_deg[0][::-1]))]
        assert inside == [own]
        assert haversine_m(*table.lat_lon_deg[own], *CENTRES[CHAINS.index(one.chain)]) < 200.0


def test_names_come_from_the_gazetteer_where_nobody_gives_them():
    from vidtag_engine.datasets.training_sequence import TrainingSequence

    def at(name: str, lat: float, lon: float) -> TrainingSequence:
        return TrainingSequence(name, np.ones((1, 3, 4), np.float32), np.full((3, 2), (lat, lon)), np.arange(3.0))

    placed = named_by_gazetteer([at("a", 48.8606, 2.3376), at("b", 55.7047, 13.1910), at("sea", 30.0, -40.0)])
    assert [(one.name, place.city, place.country) for one, place in placed] == [("a", "Paris", "France"), ("b", "Lund", "Sweden")]
    table = table_from_places([place for _, place in placed])
    assert set(table.names[0]) == {"Paris", "Lund"}
    assert set(table.names[3]) == {"Europe"}
    # A town of which no state is known is labelled all the same.
    nameless = [type(place)(**{**place.__dict__, "state": None}) for _, place in placed]
    assert set(table_from_places(nameless).names[1]) == {""}
    with pytest.raises(InputError, match="near a town that the gazetteer knows"):
        named_by_gazetteer([at("sea", 30.0, -40.0)])
    with pytest.raises(InputError, match="All videos are of one city"):
        table_from_places([placed[0][1]])


def test_a_city_that_the_table_does_not_know_keeps_the_levels_that_it_does():
    table = table_from_videos(videos(2))
    stranger = video(0, 1)
    stranger = type(stranger)(**{**stranger.__dict__, "chain": ("Elsewhere", *CHAINS[0][1:])})
    (found,) = numbered([stranger], table)
    assert found.labels[0] == -1
    assert [table.names[level][found.labels[level]] for level in (1, 2, 3)] == list(CHAINS[0][1:])


def test_levels_against_counting_by_hand():
    hierarchy = Hierarchy.of([0, 0, 1], [0, 0], [0])
    scores = (
        torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]),
        torch.tensor([[0.0, 1.0], [0.0, 1.0]]),
        torch.zeros(2, 1),
        torch.zeros(2, 1),
    )
    labels = np.array([[0, 0, 0, 0], [1, 0, 0, -1]])
    one = level_scores(scores, labels, hierarchy, "independent")
    assert one.top1 == {"city": 50.0, "state": 0.0, "country": 100.0, "continent": 100.0}
    assert level_scores(scores, labels, hierarchy, "codependent").top1["state"] == 50.0
    assert one.top5["city"] == 100.0
    assert one.videos == {"city": 2, "state": 2, "country": 2, "continent": 1}


def test_the_temperature_is_the_one_that_the_videos_were_drawn_with():
    rng = np.random.default_rng(3)
    scores = torch.from_numpy(rng.normal(0, 1.5, (4000, 6)))
    shares = (scores / 2.0).softmax(dim=1).numpy()
    cities = np.array([rng.choice(6, p=row) for row in shares])
    found = fit_cities(scores, cities)
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.ece < 0.03
    assert fit_cities(scores[:7], cities[:7]).videos == 0
    # Videos that are all right do not make it certain: one in n + 2 is shared by all cities.
    sure = fit_cities(torch.eye(6)[:, :].repeat(4, 1) * 20.0, np.tile(np.arange(6), 4))
    assert float(sure.log_probabilities(torch.eye(6) * 1e3).exp().max()) == pytest.approx(1.0 - 5 / 6 / 26)


def test_false_alarms_are_as_rare_as_said():
    training = [video(city, number, frames=8, noise=1.0) for city in range(4) for number in range(12)]
    held = [video(city, number, frames=8, noise=1.0) for city in range(4) for number in range(100, 110)]
    detector = fit_foreign([one.frames for one in training], np.repeat(np.arange(4), 12), [one.frames for one in held])
    fresh = [detector.p_value(video(city, number, frames=8, noise=1.0).frames) for city in range(4) for number in range(200, 240)]
    assert np.mean(np.array(fresh) < 0.05) < 0.12
    assert 0.25 < np.mean(fresh) < 0.75
    assert fit_foreign([one.frames for one in training], np.zeros(48, int), [one.frames for one in held]) is None


def test_a_share_of_each_city_is_held_out():
    training, held = split_cities(videos(10), 0.2, 0)
    assert {sum(one.chain == chain for one in held) for chain in CHAINS} == {2}
    assert not {one.name for one in training} & {one.name for one in held}
    assert split_cities(videos(2), 0.5, 0)[0]
    few = [video(0, 0), video(1, 0)]
    assert split_cities(few, 0.5, 0) == (few, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("video,city\na.mp4,\n", "Line 2 of .* lacks a video or a city"),
        ("clip,town\na.mp4,Lund\n", "needs the columns"),
        ("", "needs the columns"),
        ("video,city\na.mp4,Lund\nx/a.mp4,Malmo\n", "names a.mp4 a second time"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path, text, said):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_labels(path)


def test_labels_as_spreadsheets_write_them(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes("\ufeffvideo,city,state,country,continent\r\nclips/a.mp4,Lund,Scania,Sweden,Europe\r\nb.mp4,Malmö,,,\r\n".encode())
    assert read_labels(path) == {"a.mp4": ("Lund", "Scania", "Sweden", "Europe"), "b.mp4": ("Malmö", "", "", "")}


def test_tempgeo_as_the_encoder_is_that_of_the_checkpoint_and_travels_with_it(tmp_path):
    """The mean of a trained VidTAG's z*: the same as asking that VidTAG, and whole again from the checkpoint alone."""
    streets = Path(__file__).resolve().parent.parent / "resources" / "demo" / "checkpoint"
    training, held = videos(3), videos(2, start=50)
    table = table_from_videos(training)
    settings = city_recipe("default", encoder="tempgeo", parts="plain", epochs=3)
    result = train_city(training, held, table, tmp_path / "c", settings, tempgeo=str(streets))
    model, _ = from_pretrained(streets)
    one = as_tensor(video(1, 9))
    with torch.no_grad():
        _, z_star = model._branches(one[None], None, 0)
        encoder = result.guesser.net.encoder
        assert encoder.z_star(one[None])[0].numpy() == pytest.approx(z_star[0].numpy(), abs=1e-4)
    net, again, card, arrays = load_city(tmp_path / "c")
    assert card.config["encoder"] == "tempgeo"
    after = CityGuesser(net, again, CityCalibration.from_dict(card.calibration, arrays)).guess(one)
    assert np.exp(after.log_probability) == pytest.approx(np.exp(result.guesser.guess(one).log_probability), abs=2e-2)
