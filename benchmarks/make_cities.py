"""Make the checkpoint of ``resources/demo/cities`` again: CityGuessr on the simulated isles, and on the demo's own.

python -m benchmarks.make_cities --isles FOLDER --demo FOLDER [--output FOLDER]

``--isles`` is what ``python -m simulator make-world`` wrote, ``--demo`` what ``make-demo`` wrote. Everything of it is simulated. Each isle is a city.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from vidtag_engine.batch import compiled_folder
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.feedback import Feedback
from vidtag_engine.models.frame_encoder import build_frame_encoder
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.city import train_city
from vidtag_engine.training.city_data import Chain, LabelledVideo, of_sequence, table_from_videos
from vidtag_engine.training.city_settings import city_recipe
from vidtag_engine.training.features import FeatureStore, load_sequences

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "resources" / "demo" / "cities"
HELD_OUT = 6  # of the demo's training drives every so many join its few validation drives


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isles", type=Path, required=True, help="what make-world wrote")
    parser.add_argument("--demo", type=Path, required=True, help="what make-demo wrote")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
    with progress_bar() as bar:
        feedback = Feedback(bar)
        training: list[LabelledVideo] = []
        validation: list[LabelledVideo] = []
        for number, (folder, file) in enumerate(((arguments.isles, "world.json"), (arguments.demo, "drives.json"))):
            made = json.loads((folder / file).read_text(encoding="utf-8"))
            rows = [row for row in made["drives"] if row["split"] in {"train", "val"}]
            store = FeatureStore(folder / "features", encoder, augment="none", views=0, seed=0, rate_hz=None, half=True)
            sources = [TrainingSource(folder / row["video"], folder / row["truth"], "video") for row in rows]
            sequences = load_sequences(store, sources, feedback.part(0.4 * number, 0.4 * (number + 1)))
            for place, (row, sequence) in enumerate(zip(rows, sequences, strict=True)):
                held = row["split"] == "val" or ("isle" not in row and place % HELD_OUT == 0)
                (validation if held else training).append(of_sequence(sequence, _chain(row, made)))
        settings = city_recipe("default", seed=arguments.seed, parts="sca_text", rate_hz=1.0)
        result = train_city(
            training, validation, table_from_videos(training), arguments.output, settings, feedback=feedback.part(0.8, 1.0), overwrite=True
        )
    print(json.dumps(result.card.metrics, indent=1))


def _chain(row: dict[str, str], made: dict[str, dict[str, dict[str, str]]]) -> Chain:
    """An isle as a city; the demo's own lies in no state that the simulator names."""
    if "isle" in row:
        return (row["isle"].replace("-", " ").title(), row["state"], row["country"], row["continent"])
    return (made["settings"]["isle"]["name"].replace("-", " ").title(), "", "", "")


if __name__ == "__main__":
    main()
