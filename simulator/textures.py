"""One atlas of 256 tiles for everything built, and one grey noise for the ground; made with numpy, the lettering with Pillow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from .mesh import ATLAS_TILES

TILE_PX = 128
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

# Rows of the atlas, sixteen tiles each.
MATERIALS = ("plaster", "brick", "clapboard", "concrete", "stone", "metal", "stucco", "panel")
WINDOW_STYLES = 8
FIRST_WINDOW = 0  # eight materials × eight window styles
FIRST_DOOR = 64  # one a material × two kinds
FIRST_WALL = 80  # one blank a material, then eight roofs
FIRST_ROOF = 88
FIRST_SHOP = 96  # sixteen shop fronts
FIRST_SIGN = 112  # thirty-two lettered boards
FIRST_MURAL = 144  # sixteen paintings
FIRST_MISC = 160
LEAVES, PAVING, PLAIN, FENCE, HEDGE, CAR_SIDE, STRIPES, PALM, GARAGE, CRATES = range(FIRST_MISC, FIRST_MISC + 10)
PAVINGS = (PAVING, *range(FIRST_MISC + 10, FIRST_MISC + 13))

SHOP_NAMES = (
    "CAFE CORAL", "BOULANGERIE", "REEF BOOKS", "HOTEL VELOCITY", "ICE CREAM", "PHARMACY", "SANDY BANK", "TAXIS", "SURF SHOP",
    "BAKERY", "FISH BAR", "TAILOR", "CINEMA ROYAL", "MARKET", "BARBER", "GARAGE 159", "LAUNDRY", "MUSEUM", "TOYS", "RECORDS",
    "FLOWERS", "DENTIST", "POST", "SCHOOL", "NOODLES", "OPTICIAN", "TEA HOUSE", "HARDWARE", "BICYCLES", "GYM", "PIZZA", "CHART ROOM",
)  # fmt: skip


@dataclass(frozen=True)
class Textures:
    """Pictures the world is dressed in.

    Args:
        atlas: (2048, 2048, 3), 16 × 16 tiles.
        ground: (512, 512, 3), repeats.
        clouds: (512, 512) in 0..1, repeats.
    """

    atlas: Bytes
    ground: Bytes
    clouds: NDArray[np.float32]


def _noise(rng: np.random.Generator, size: int, scale_px: float) -> Floats:
    """Tileable smooth noise of zero mean and unit variance."""
    field = gaussian_filter(rng.normal(size=(size, size)), scale_px, mode="wrap")
    return (field - field.mean()) / field.std()


def _material(name: str, rng: np.random.Generator) -> Floats:
    """A blank wall in shades of near-white (128, 128, 3), to be coloured by its vertices."""
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX]
    fine, broad = _noise(rng, TILE_PX, 0.8), _noise(rng, TILE_PX, 12)
    shade = 0.9 + 0.025 * fine + 0.03 * broad
    if name == "brick":
        row = y // 8
        joint = (y % 8 < 1) | ((x + 8 * (row % 2)) % 16 < 1)
        tone = rng.uniform(0.72, 1.02, (TILE_PX // 8 + 1, TILE_PX // 16 + 2))
        shade = np.where(joint, 1.0, tone[row, (x + 8 * (row % 2)) // 16]) + 0.02 * fine
    elif name == "clapboard":
        shade = 0.95 - 0.3 * (y % 12 >= 10) + 0.02 * fine
    elif name == "concrete":
        shade = 0.86 + 0.05 * broad + 0.03 * fine - 0.2 * ((y % 64 < 2) | (x % 64 < 2))
    elif name == "stone":
        row = y // 16
        tone = rng.uniform(0.65, 1.0, (9, 8))
        column = (x + 13 * row) % TILE_PX // 24
        joint = (y % 16 < 2) | ((x + 13 * row) % TILE_PX % 24 < 2)
        shade = np.where(joint, 0.6, tone[row, column]) + 0.03 * fine
    elif name == "metal":
        shade = 0.85 + 0.13 * np.sin(x * 2 * np.pi / 8) + 0.03 * broad
    elif name == "panel":
        shade = 0.95 - 0.25 * ((y % 32 < 2) | (x % 43 < 2)) + 0.02 * broad
    elif name == "stucco":
        shade = 0.88 + 0.07 * fine
    return np.repeat(np.clip(shade, 0, 1)[..., None], 3, axis=2)


def _rectangle(tile: Floats, box: tuple[float, float, float, float], colour: tuple[float, ...]) -> None:
    """Fill x0, y0, x1, y1 (shares of the tile, y down)."""
    x0, y0, x1, y1 = (round(v * TILE_PX) for v in box)
    tile[y0:y1, x0:x1] = colour


def _glass(tile: Floats, box: tuple[float, float, float, float], rng: np.random.Generator, frame: float, bars: tuple[int, int]) -> None:
    """A window: frame, panes with a reflection that fades downward, bars between (columns, rows)."""
    x0, y0, x1, y1 = box
    _rectangle(tile, (x0 - 0.03, y0 - 0.03, x1 + 0.03, y1 + 0.03), (frame, frame, frame))
    top, left, bottom, right = (round(v * TILE_PX) for v in (y0, x0, y1, x1))
    fade = np.linspace(0.42, 0.16, bottom - top)[:, None, None]
    tint = np.array([0.75, 0.9, 1.05]) * rng.uniform(0.8, 1.15)
    tile[top:bottom, left:right] = fade * tint
    if rng.random() < 0.4:  # a curtain
        tile[top : (top + bottom) // 2, left:right] = (0.75, 0.7, 0.6)
    columns, rows = bars
    for k in range(1, columns):
        at = x0 + (x1 - x0) * k / columns
        _rectangle(tile, (at - 0.012, y0, at + 0.012, y1), (frame, frame, frame))
    for k in range(1, rows):
        at = y0 + (y1 - y0) * k / rows
        _rectangle(tile, (x0, at - 0.012, x1, at + 0.012), (frame, frame, frame))


def _window(material: Floats, style: int, rng: np.random.Generator) -> Floats:
    """A bay of wall with a window in one of eight styles."""
    tile = material.copy()
    if style in {1, 5}:  # shutters left and right
        _rectangle(tile, (0.1, 0.2, 0.32, 0.8), (0.45, 0.5, 0.45))
        _rectangle(tile, (0.68, 0.2, 0.9, 0.8), (0.45, 0.5, 0.45))
    boxes = [
        (0.28, 0.2, 0.72, 0.8), (0.33, 0.2, 0.67, 0.8), (0.1, 0.25, 0.9, 0.75), (0.2, 0.12, 0.8, 0.95),
        (0.15, 0.3, 0.45, 0.8), (0.34, 0.22, 0.66, 0.78), (0.02, 0.08, 0.98, 0.7), (0.36, 0.3, 0.64, 0.65),
    ]  # fmt: skip
    bars = [(2, 3), (2, 2), (3, 1), (2, 1), (1, 2), (1, 1), (4, 1), (2, 2)]
    _glass(tile, boxes[style], rng, (1.0, 0.95, 0.3, 0.98)[style % 4], bars[style])
    if style == 4:
        _glass(tile, (0.55, 0.3, 0.85, 0.8), rng, 1.0, bars[style])
    if style in {0, 1, 7}:  # sill and lintel
        _rectangle(tile, (0.24, 0.84, 0.76, 0.88), (1.0, 1.0, 1.0))
        _rectangle(tile, (0.24, 0.1, 0.76, 0.16), (1.0, 1.0, 0.98))
    if style == 3:  # balcony rail
        _rectangle(tile, (0.12, 0.68, 0.88, 0.71), (0.15, 0.15, 0.15))
        for k in range(14):
            _rectangle(tile, (0.13 + k * 0.056, 0.7, 0.145 + k * 0.056, 0.95), (0.15, 0.15, 0.15))
    return tile


def _door(material: Floats, kind: int, rng: np.random.Generator) -> Floats:
    """A bay with a door; kind 1 has a side light."""
    tile = material.copy()
    colour = tuple(float(v) for v in rng.uniform(0.1, 0.7, 3))
    _rectangle(tile, (0.3, 0.16, 0.66, 1.0), (0.98, 0.98, 0.98))
    _rectangle(tile, (0.33, 0.2, 0.63, 1.0), colour)
    _glass(tile, (0.38, 0.25, 0.58, 0.45), rng, 0.9, (1, 1))
    if kind:
        _glass(tile, (0.74, 0.25, 0.92, 0.7), rng, 0.9, (1, 2))
    return tile


def _shop(index: int, rng: np.random.Generator) -> Floats:
    """A shop front whose surround is coloured by its vertices: the glass shows blurred goods."""
    tile = np.full((TILE_PX, TILE_PX, 3), 0.92)
    left, right = ((0.06, 0.94), (0.06, 0.6), (0.4, 0.94), (0.06, 0.94))[index % 4]
    _glass(tile, (left, 0.28, right, 0.84), rng, 0.25 + 0.7 * (index % 2), (1 + index % 3, 1))
    top, bottom = round(0.5 * TILE_PX), round(0.84 * TILE_PX)
    goods = np.kron(rng.uniform(0.1, 0.95, (4, 10, 3)), np.ones((11, 13, 1)))[: bottom - top, :TILE_PX]
    x0, x1 = round((left + 0.03) * TILE_PX), round((right - 0.03) * TILE_PX)
    tile[top:bottom, x0:x1] = 0.25 * tile[top:bottom, x0:x1] + 0.6 * goods[:, x0:x1]
    if right < 0.9:
        _rectangle(tile, (0.66, 0.24, 0.9, 1.0), tuple(float(v) for v in rng.uniform(0.1, 0.6, 3)))
    if left > 0.1:
        _rectangle(tile, (0.08, 0.24, 0.34, 1.0), tuple(float(v) for v in rng.uniform(0.1, 0.6, 3)))
    for k in range(8):  # valance
        shade = 0.98 if k % 2 else 0.55
        _rectangle(tile, (k / 8, 0.12, (k + 1) / 8, 0.24), (shade, shade, shade))
    return tile


def sign(text: str, light: bool) -> Floats:
    """A lettered board (drawn in the middle half of the tile's height and stretched by who uses it)."""
    paper, ink = (250, 30) if light else (255, 245)
    image = Image.new("L", (TILE_PX, TILE_PX), paper if light else 120)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=40)
    words = text.split(" ") if len(text) > 9 else [text]
    for row, word in enumerate(words[:2]):
        left, top, right, bottom = draw.textbbox((0, 0), word, font=font)
        line = Image.new("L", (int(right) + 8, int(bottom) + 8), 0)
        ImageDraw.Draw(line).text((4, 4 - top // 2), word, font=font, fill=255)
        height = 100 // len(words[:2])
        mask = line.resize((116, height))
        image.paste(ink, (6, 14 + row * (height + 2)), mask)
    draw.rectangle((2, 2, 125, 125), outline=ink, width=3)
    return np.repeat(np.asarray(image, np.float64)[..., None] / 255, 3, axis=2)


def _mural(rng: np.random.Generator) -> Floats:
    """A wall painting: coloured discs and bands."""
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX] / TILE_PX
    tile = np.tile(rng.uniform(0.2, 1.0, 3), (TILE_PX, TILE_PX, 1))
    for _ in range(rng.integers(4, 9)):
        colour = rng.uniform(0.0, 1.0, 3)
        if rng.random() < 0.6:
            cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.35)
            tile[np.hypot(x - cx, y - cy) < r] = colour
        else:
            a, b = rng.uniform(-1, 1), rng.uniform(-0.5, 1)
            tile[np.abs(y - a * x - b) < rng.uniform(0.03, 0.12)] = colour
    return tile


def _roofs(rng: np.random.Generator) -> list[Floats]:
    """Eight coverings: tiles, slates, standing seam, thatch, gravel, shingle, corrugated, plain."""
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX]
    fine, broad = _noise(rng, TILE_PX, 0.8), _noise(rng, TILE_PX, 10)
    shades = [
        0.85 + 0.15 * np.sin(x * 2 * np.pi / 8) - 0.25 * (y % 12 < 2),
        0.85 - 0.3 * ((y % 10 < 1) | ((x + 5 * (y // 10)) % 12 < 1)) + 0.05 * broad,
        0.92 - 0.4 * (x % 16 < 2),
        0.8 + 0.12 * _noise(rng, TILE_PX, 1) * (1 + 0 * y),
        0.8 + 0.1 * fine,
        0.8 + 0.08 * rng.normal(size=(17, 17))[y // 8, x // 8] - 0.2 * (y % 8 < 1),
        0.8 + 0.18 * np.sin(x * 2 * np.pi / 6),
        0.92 + 0.03 * broad,
    ]
    return [np.repeat(np.clip(shade, 0, 1)[..., None], 3, axis=2) for shade in shades]


def _misc(rng: np.random.Generator) -> list[Floats]:
    """Leaves, paving, plain, fence, hedge, car side, stripes, palm leaf, garage door, crates, three more pavings."""
    y, x = np.mgrid[0:TILE_PX, 0:TILE_PX]
    fine, broad = _noise(rng, TILE_PX, 1.5), _noise(rng, TILE_PX, 5)
    leaf = 0.72 + 0.16 * fine + 0.12 * broad
    slabs = 0.88 - 0.22 * ((y % 32 < 1) | (x % 16 < 1)) + 0.03 * fine
    fence = np.where((x % 16 < 3) | (y % 64 < 6), 0.95, 0.35)
    hedge = 0.7 + 0.22 * fine
    car = np.where((y < 60) & (y > 12) & (np.abs(x - 64) > 5) & (x > 10) & (x < 118), 0.14, 0.95)
    stripes = np.where((x // 16) % 2 == 0, 1.0, 0.25)
    palm = 0.75 + 0.25 * np.sin((x + y) * 2 * np.pi / 10)
    garage = 0.9 - 0.2 * (y % 20 < 2)
    crates = 0.85 - 0.5 * ((y % 42 < 4) | (x % 42 < 4))
    plain = 0.96 + 0.01 * fine
    herring = 0.85 - 0.2 * (((x + y) % 16 < 1) | ((x - y) % 16 < 1)) + 0.04 * fine
    cobble = 0.72 + 0.18 * np.cos(x * 2 * np.pi / 8) * np.cos(y * 2 * np.pi / 8) + 0.04 * fine
    tarmac = 0.8 + 0.06 * fine
    shades = [leaf, slabs, plain, fence, hedge, car, stripes, palm, garage, crates, herring, cobble, tarmac]
    return [np.repeat(np.clip(shade, 0, 1)[..., None], 3, axis=2) for shade in shades]


def build_textures(seed: int) -> Textures:
    """All pictures, the same for the same seed."""
    rng = np.random.default_rng([seed, 2])
    walls = [_material(name, rng) for name in MATERIALS]
    tiles = [_window(wall, style, rng) for wall in walls for style in range(WINDOW_STYLES)]
    tiles += [_door(wall, kind, rng) for wall in walls for kind in range(2)]
    tiles += walls + _roofs(rng)
    tiles += [_shop(index, rng) for index in range(16)]
    tiles += [sign(name, light=index % 3 > 0) for index, name in enumerate(SHOP_NAMES)]
    tiles += [_mural(rng) for _ in range(16)]
    tiles += _misc(rng)
    tiles += [np.ones((TILE_PX, TILE_PX, 3))] * (ATLAS_TILES**2 - len(tiles))
    rows = [np.concatenate(tiles[row * ATLAS_TILES : (row + 1) * ATLAS_TILES], axis=1) for row in range(ATLAS_TILES)]
    atlas = np.clip(np.concatenate(rows) * 255, 0, 255).astype(np.uint8)
    grey = 0.86 + 0.05 * _noise(rng, 512, 1) + 0.04 * _noise(rng, 512, 6) + 0.04 * _noise(rng, 512, 40)
    ground = np.repeat(np.clip(grey * 255, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    puffs = _noise(rng, 512, 40) + 0.5 * _noise(rng, 512, 15) + 0.25 * _noise(rng, 512, 6)
    clouds = (1 / (1 + np.exp(-2.2 * puffs))).astype(np.float32)
    return Textures(atlas, ground, clouds)
