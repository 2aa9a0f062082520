"""States of a place and a direction all the way through: what a video is solved by, and solved again by with pins, from a file too."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tests.test_models_memory import SPACING_M, World
from vidtag_engine.directions import Directions
from vidtag_engine.export.scores_file import read_scores, scores_path, write_scores
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import Emissions, PosteriorDecoder
from vidtag_engine.inference.solved import decoder_of
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.trajectory import Calibration, DatabaseWeight, Decoder, EmissionModel, PathCalibration, TrainingGround

SECTORS = 4


def test_a_video_is_solved_by_place_and_direction_and_its_scores_solve_it_again(tmp_path):
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    search, features = world.search(model), new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    weight = DatabaseWeight(4.0, 60.0, None, NEIGHBOURS, sectors=SECTORS, sequence_mps=10.0)
    path = replace(PathCalibration.unfitted(0.07, SPACING_M, weight), emission=EmissionModel(0.2, error_correlation=0.0))
    solver = PosteriorDecoder(model, search, Calibration(0.07, path=path))
    video = solver.read(Emissions(model, features, queries, time_s=new.time_s))
    solved = solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0)
    assert np.median(haversine_m(*solved.line.T, *new.lat_lon_deg.T)) < 100.0
    kept = solver.scores(solved, np.arange(len(features)), new.time_s)
    assert kept.scores.shape == (len(features), SECTORS * len(solver.cover.lat_lon_deg))
    # The best of all directions is what is said of a place.
    by_place = video.read(path.database_weight)(slice(0, len(features)))
    np.testing.assert_allclose(kept.scores.reshape(len(features), SECTORS, -1).max(axis=1), by_place, atol=1e-6)
    write_scores(tmp_path / "drive.gpkg", "ab" * 32, kept)
    read = read_scores(scores_path(tmp_path / "drive.gpkg", "ab" * 32))
    with safe_open(scores_path(tmp_path / "drive.gpkg", "ab" * 32), framework="numpy") as file:
        assert json.loads(file.metadata()["vidtag_scores"])["version"] == 3  # which versions without directions refuse
    with pytest.raises(ValueError, match="states"):
        write_scores(tmp_path / "drive.gpkg", "cd" * 32, replace(kept, scores=kept.scores[:, :-1]))
    for one, off_m in ((kept, 0.01), (read, SPACING_M)):  # a file holds scores in half precision
        again = decoder_of(one).decode(one.scores, one.time_s, path.emission, accuracy_m=solver.accuracy_m)
        assert haversine_m(*again.lat_lon_deg.T, *solved.line.T).max() < off_m


def test_what_lies_on_unknown_ground_is_left_out_in_every_direction():
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive((1, 2, 3))
    model = world.model(training)
    search, features = world.search(model), new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    path = PathCalibration.unfitted(0.07, SPACING_M, DatabaseWeight(4.0, 60.0, None, NEIGHBOURS, sectors=SECTORS))
    south = search.cover().lat_lon_deg[:, 0] < np.median(search.cover().lat_lon_deg[:, 0])
    ground = TrainingGround.about(search.cover().lat_lon_deg[south], 1.0)
    solver = PosteriorDecoder(model, search, Calibration(0.07, path=path, ground=ground))
    assert 0 < solver.known.sum() < len(solver.known)
    video = solver.read(Emissions(model, features, queries))
    found = solver.decode(video, new.time_s).marginal.toarray()
    whole = video.read(path.database_weight, directed=True)(slice(0, len(features)))
    own = np.concatenate([side[:, solver.known] for side in np.split(whole, SECTORS, axis=1)], axis=1)
    alone = Decoder(solver.cover.lat_lon_deg[solver.known], solver.cover.spacing_m, path.transition, directions=Directions(SECTORS))
    np.testing.assert_allclose(found, alone.decode(own, new.time_s, path.emission).marginal.toarray(), atol=1e-6)
