"""Makes inputs for the plugin's tests with the engine's own parts; run by the engine's interpreter.

    python tests/qgis/inputs.py DIR

DIR gets ``checkpoint`` (a compact model with random weights: its answers mean nothing, but all of it runs), ``wary`` (the same, and it knows nothing but
what ``a.mp4`` shows, so that it withholds its answer of any other), ``a.mp4`` and ``b é.mp4`` (6 s)
``long.mp4`` (20 min), ``a.gpx`` (a straight way at 5 m/s) and ``a.gpkg``, where ``a.mp4`` was located at 2 frames a second,
with its scores kept; ``cities``, which knows Avila as what ``a.mp4`` shows, Berga as ``b é.mp4`` and Cala as something between the two,
in two states, and ``unrated``, the same without held-out videos.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from vidtag_engine.calibration import fit_novelty
from vidtag_engine.command_arguments import GeolocateArguments
from vidtag_engine.geolocation import load, run_geolocate
from vidtag_engine.inference.encode import encode_video
from vidtag_engine.models import CheckpointCard, VidTAG, VidTAGConfig, save_pretrained
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.training.city import train_city
from vidtag_engine.training.city_data import LabelledVideo, table_from_videos
from vidtag_engine.training.city_settings import city_recipe
from vidtag_engine.trajectory import Calibration, EmissionModel, PathCalibration, TrainingGround, TransitionModel
from vidtag_engine.trajectory.decoder_calibration import RadiusMap
from vidtag_engine.video import open_source

START = "2024-05-01T10:00:00"


def clip(path: Path, seconds: int, seed: int) -> None:
    """A small noisy picture that changes twice a second."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(2))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        base = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        for index in range(2 * seconds):
            picture = np.kron(np.roll(base, index, axis=1), np.ones((10, 10, 1), np.uint8)).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def track(path: Path, seconds: int) -> None:
    """A fix a second, going north."""
    fixes = "".join(
        f'<trkpt lat="{-19.2215 + index * 5 / 110_700:.9f}" lon="159.932"><time>2024-05-01T10:00:{index:02d}Z</time></trkpt>'
        for index in range(seconds + 1)
    )
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{fixes}</trkseg></trk></gpx>')


def wary(model: VidTAG, checkpoint: Path, video: Path) -> CheckpointCard:
    """A card with a familiarity that is fitted on one video, and held-out videos that are nearly like it."""
    features = encode_video(open_source(video), load(str(checkpoint), "cpu").encoder, GeolocateSettings(rate_hz=2.0)).features
    noise = 0.02 * features.std() * np.random.default_rng(0).standard_normal((99, *features.shape))
    known = fit_novelty([features], list(features + noise), width=8)  # fewer than it has frames
    temperature = float(1.0 / model.logit_scale.detach().exp())
    path = PathCalibration(EmissionModel(temperature), TransitionModel(), 50.0, 25.0, 99, (RadiusMap(100.0, 1.0, 0.0),), 0.5, 0.9, known)
    ground = TrainingGround.about(np.array([[-19.220, 159.932]]), 2000.0)
    calibration = Calibration(temperature, n_frames=99, path=path, ground=ground, videos=99)
    return CheckpointCard(name="wary", preset="vidtag-compact", calibration=calibration.to_dict())


def cities(folder: Path) -> None:
    """Two checkpoints of made-up cities: 20 videos each, with noise, of which the rated one holds 8 out."""
    encoder = load(str(folder / "checkpoint"), "cpu").encoder
    a, b = (
        encode_video(open_source(folder / name), encoder, GeolocateSettings(rate_hz=1.0)).features[:, : encoder.feature_dim]
        for name in ("a.mp4", "b é.mp4")
    )
    random = np.random.default_rng(0)
    training, held_out = [], []
    for name, state, shown, place in (
        ("Avila", "North", a, (-19.220, 159.932)), ("Berga", "North", b, (-19.100, 159.932)), ("Cala", "South", (a + b) / 2, (-19.220, 160.200)),
    ):  # fmt: skip
        for number in range(20):
            seen = (shown + 0.1 * shown.std() * random.standard_normal(shown.shape)).astype(np.float32)
            video = LabelledVideo(f"{name} {number}", seen, len(seen), (name, state, "Isle", "Ocean"), np.array([place]))
            (training if number < 12 else held_out).append(video)
    table = table_from_videos(training)
    settings = city_recipe("default", epochs=12, parts="plain", device="cpu")
    train_city(training, held_out, table, folder / "cities", settings)
    train_city(training, [], table, folder / "unrated", settings)


def main(folder: Path) -> None:
    """Write everything."""
    torch.manual_seed(0)
    model = VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="site"))
    save_pretrained(model, folder / "checkpoint", CheckpointCard(name="untrained", preset="vidtag-compact"))
    clip(folder / "a.mp4", 6, 1)
    clip(folder / "b é.mp4", 6, 2)
    clip(folder / "long.mp4", 1200, 3)
    save_pretrained(model, folder / "wary", wary(model, folder / "checkpoint", folder / "a.mp4"))
    track(folder / "a.gpx", 6)
    cities(folder)
    arguments = GeolocateArguments(
        aoi="159.930,-19.222,159.934,-19.218", output=str(folder / "a.gpkg"), videos=[str(folder / "a.mp4")],
        checkpoint=str(folder / "checkpoint"), resolution_m=25.0, rate_hz=2.0, start_time=START, keep_scores=True,
    )  # fmt: skip
    run_geolocate(arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
