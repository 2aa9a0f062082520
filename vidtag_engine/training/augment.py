"""Other views of a training picture, encoded once and stored beside the plain one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Picture = NDArray[np.uint8]
KINDS = ("none", "street", "aerial")


def augmented_views(image: Picture, kind: str, count: int, seed: tuple[int, ...]) -> list[Picture]:
    """Return ``count`` altered copies of a picture, the same for the same seed.

    Args:
        image: (H, W, 3) uint8 RGB.
        kind: ``"street"``: light, colour, blur, a small crop and tilt; never mirrored, since a mirrored street is another street. ``"aerial"``: the
            same, turned by any angle as well, since an aircraft crosses a place on any heading. ``"none"`` gives no views.
        count: views besides the plain picture.
        seed: of this picture.
    """
    if kind == "none" or count == 0:
        return []
    rng = np.random.default_rng(seed)
    source = Image.fromarray(image)
    # The networks see at most 260 px: a smaller copy makes turning and blurring cheap and changes nothing they see.
    if (smaller := 400 / min(source.size)) < 1:
        source = source.resize((round(source.width * smaller), round(source.height * smaller)), Image.Resampling.BICUBIC)
    return [_view(source, kind, number, rng) for number in range(count)]


def _view(source: Image.Image, kind: str, number: int, rng: np.random.Generator) -> Picture:
    """One altered copy."""
    if kind == "street":
        view = _cropped(_turned(source, rng.uniform(-3, 3)), rng.uniform(0.8, 1.0), rng)
    else:
        # The opposite heading first: most flights go to and fro.
        view = _turned(source, 180.0 if number == 0 else rng.uniform(0, 360))
        if number > 0:
            view = _cropped(view, rng.uniform(0.85, 1.0), rng)
    for enhancer, low, high in (
        (ImageEnhance.Brightness, 0.7, 1.35),
        (ImageEnhance.Contrast, 0.75, 1.25),
        (ImageEnhance.Color, 0.7, 1.3),
    ):
        view = enhancer(view).enhance(rng.uniform(low, high))
    if rng.random() < 0.3:
        view = view.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    return np.asarray(view)


def _turned(source: Image.Image, angle_deg: float) -> Image.Image:
    """Turn about the centre; the size stays, and what comes in from outside is mirrored."""
    margin = min(source.size) // 2
    array = np.pad(np.asarray(source), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    turned = Image.fromarray(array).rotate(angle_deg, Image.Resampling.BICUBIC)
    left, top = (turned.width - source.width) // 2, (turned.height - source.height) // 2
    return turned.crop((left, top, left + source.width, top + source.height))


def _cropped(source: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """A crop of ``share`` of each side, anywhere."""
    width, height = round(source.width * share), round(source.height * share)
    left, top = int(rng.integers(0, source.width - width + 1)), int(rng.integers(0, source.height - height + 1))
    return source.crop((left, top, left + width, top + height))
