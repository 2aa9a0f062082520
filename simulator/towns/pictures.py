"""A page of pictures of a world that was made: a contact sheet and a map of the drives for every isle."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidtag_engine.types import InputError

from ..write import replace_file, replace_text
from .config import WorldConfig
from .drives import SPLITS
from .isles import WORLD_ISLES, TownConfig

COLUMNS, ROWS = 4, 3
TILE_PX = (224, 168)
LIMIT_BYTES = 190_000
COLOURS = {"train": "#9a9a9a", "val": "#2a7fb8", "test": "#d9541e", "test_unseen": "#7a3fa0"}


def write_page(world: Path, docs: Path) -> Path:
    """Write ``phantom-isles.md`` and its pictures below ``docs``; returns the page.

    Raises:
        InputError: there is no whole world in the folder.
    """
    if not (world / "world.json").exists():
        raise InputError(f"{world} holds no finished world: run make-world with --output {world} first.")
    made = json.loads((world / "world.json").read_text(encoding="utf-8"))
    folder = docs / "phantom-isles"
    folder.mkdir(parents=True, exist_ok=True)
    isles = [WORLD_ISLES[isle["name"]] for isle in made["isles"]]
    for isle in isles:
        drives = [drive for drive in made["drives"] if drive["isle"] == isle.name]
        sheet, chart = _small_jpeg(contact_sheet(world, drives)), draw_map(world, isle, drives)
        for path, content in ((folder / f"{isle.name}.jpg", sheet), (folder / f"{isle.name}-map.png", chart)):
            replace_file(path, partial(Path.write_bytes, data=content))
    page = docs / "phantom-isles.md"
    replace_text(page, _text(made, isles))
    return page


def contact_sheet(world: Path, drives: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """Pictures from the middle of drives spread over an isle."""
    rng = np.random.default_rng(1)
    chosen = [drives[index] for index in sorted(rng.permutation(len(drives))[: COLUMNS * ROWS])]
    tiles = [
        np.asarray(Image.fromarray(_middle_picture(world / drive["video"])).resize(TILE_PX, Image.Resampling.LANCZOS)) for drive in chosen
    ]
    blank = np.full((TILE_PX[1], TILE_PX[0], 3), 255, np.uint8)
    tiles += [blank] * (COLUMNS * ROWS - len(tiles))
    return np.concatenate([np.concatenate(tiles[row * COLUMNS : (row + 1) * COLUMNS], axis=1) for row in range(ROWS)])


def _middle_picture(video: Path) -> NDArray[np.uint8]:
    with av.open(str(video)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.asarray(pictures[len(pictures) // 2], np.uint8)


def _small_jpeg(image: NDArray[np.uint8]) -> bytes:
    """JPEG below the page's limit."""
    for quality in range(84, 30, -6):
        memory = BytesIO()
        Image.fromarray(image).save(memory, "JPEG", quality=quality, optimize=True)
        if memory.tell() <= LIMIT_BYTES:
            break
    return memory.getvalue()


def draw_map(world: Path, isle: TownConfig, drives: list[dict[str, Any]]) -> bytes:
    """Outline of the town, and the ways driven in the colour of their split, as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from shapely.geometry import shape

    figure, axes = plt.subplots(figsize=(4.2, 4.2), dpi=90)
    wrap = isle.longitude_deg - 180
    for split in SPLITS:
        for number, drive in enumerate(drive for drive in drives if drive["split"] == split):
            record = json.loads((world / drive["split"] / f"{drive['name']}.json").read_text(encoding="utf-8"))
            lat, lon = np.array(record["exact_lat_lon"]).T
            lon = (lon - wrap) % 360 + wrap
            axes.plot(
                lon, lat, color=COLOURS[split], linewidth=1.6 if split == "train" else 1.1, label=split if number == 0 else None, alpha=0.85
            )
    areas = json.loads((world / "aoi.geojson").read_text(encoding="utf-8"))["features"]
    area = shape(next(feature["geometry"] for feature in areas if feature["properties"]["name"] == isle.name))
    for polygon in getattr(area, "geoms", [area]):
        x, y = np.array(polygon.exterior.coords).T
        axes.plot((x - wrap) % 360 + wrap if x.min() < wrap else x, y, color="#bbbbbb", linewidth=0.6, linestyle=":")
    axes.set_aspect(1 / np.cos(np.deg2rad(isle.latitude_deg)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{180 - (180 - value) % 360:.2f}")
    axes.tick_params(labelsize=6)
    axes.locator_params(axis="y", nbins=5)
    axes.locator_params(axis="x", nbins=2)
    axes.legend(fontsize=6, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title(f"{isle.title} (simulated)", fontsize=8)
    figure.tight_layout()
    memory = BytesIO()
    figure.savefig(memory, format="png")
    plt.close(figure)
    return memory.getvalue()


def _text(made: dict[str, Any], isles: list[TownConfig]) -> str:
    """The page."""
    frames = made["frames"]
    sizes = "".join(f" --{name.replace('_', '-')} {made['size'][name]}" for name in ("train_frames", "val_frames", "test_frames"))
    lines = [
        "# Phantom Isles: the simulated world",
        "",
        "Everything here is simulated: no picture shows a real place. The isles lie where charts once showed land that never was.",
        "",
        f"Made by `python -m simulator make-world --output DIR --seed {made['seed']}{sizes}` and "
        "`python -m simulator picture-page --world DIR`. "
        f"Configuration `{made['config_sha256']}`. "
        f"Pictures: {frames['train']:,} for training, {frames['val']:,} for validation, {frames['test']:,} on streets that training saw in another light, "
        f"{frames['test_unseen']:,} on streets that no training drove.",
        "",
        "These are the pictures of one seed. Everything was tuned on the seed `dev`, 20121122; what was measured is of other seeds.",
        "",
        "Maps: training grey, validation blue, test orange, test on unseen streets purple.",
        "",
    ]
    for isle in isles:
        drives = [drive for drive in made["drives"] if drive["isle"] == isle.name]
        streets = sum(drive["length_m"] for drive in drives) / 1000
        north, east = ("N" if isle.latitude_deg >= 0 else "S"), ("E" if isle.longitude_deg >= 0 else "W")
        lines += [
            f"## {isle.title}",
            "",
            f"{abs(isle.latitude_deg):.2f}° {north}, {abs(isle.longitude_deg):.2f}° {east} ({isle.continent}). Charted: {isle.charted}. "
            f"Cities: {', '.join(isle.cities)}; {isle.country}. {len(drives)} drives, {streets:.0f} km.",
            "",
            f"![Simulated pictures of {isle.title}](phantom-isles/{isle.name}.jpg)",
            f"![Map of the simulated drives on {isle.title}](phantom-isles/{isle.name}-map.png)",
            "",
        ]
    settings = ", ".join(f"{name} {value}" for name, value in made["config"].items())
    default = "" if made["config"] == json.loads(json.dumps(WorldConfig().__dict__)) else " (not the committed configuration)"
    return "\n".join([*lines, "## Settings", "", f"{settings}{default}.", ""])
