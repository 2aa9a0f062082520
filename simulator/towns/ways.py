"""What a country does its own way and shows on nearly every picture: roads and their paint, kerbs, barriers, walls and roofs, air, skyline."""

from __future__ import annotations

from dataclasses import dataclass

from ..quarters import Colour

WHITE, YELLOW, BLACK, RED = (0.92, 0.92, 0.88), (0.92, 0.68, 0.1), (0.1, 0.1, 0.11), (0.75, 0.12, 0.1)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """An isle's own ways; how far they rule is the world's ``isle_strength``.

    Args:
        road: colour of the carriageway; joints: whether it is laid in slabs.
        centre: its middle line, "none", "dashes", "line" or "double"; edge: its sides, "none", "dashes" or "line"; with their paints.
        pavement, pavement_tile: colour and pattern (0 slabs, 1 herringbone, 2 cobbles, 3 tarmac).
        kerbs: colours of the kerb's stones in turn.
        barrier: what runs beside the road, "none", "rail", "wall", "hedge", "boards", "posts" or "bollards"; its colour and height.
        wires: whether poles with wires follow the road.
        row: kinds of trees at the kerb; row_m: their spacing; greens: what leaves are multiplied by.
        walls, roofs, roof: palettes and form of the houses; material, covering: numbers in the atlas; storeys: (least, most).
        skyline: what stands behind everything, one of ``skyline.SHAPES``; its colours at the foot and at the top, its height in degrees.
        air: what sky and haze are multiplied by.
    """

    road: Colour
    joints: bool = False
    centre: str
    centre_paint: Colour
    edge: str
    edge_paint: Colour
    pavement: Colour
    pavement_tile: int
    kerbs: tuple[Colour, ...]
    barrier: str
    barrier_colour: Colour
    barrier_m: float
    wires: bool
    row: tuple[str, ...]
    row_m: float
    greens: Colour
    walls: tuple[Colour, ...]
    roofs: tuple[Colour, ...]
    roof: str
    material: int
    covering: int
    storeys: tuple[int, int]
    skyline: str
    skyline_foot: Colour
    skyline_top: Colour
    skyline_deg: float
    air: Colour


WAYS = {
    "sandy-reach": Ways(
        road=(0.72, 0.62, 0.46), centre="none", centre_paint=WHITE, edge="none", edge_paint=WHITE,
        pavement=(0.93, 0.84, 0.64), pavement_tile=3, kerbs=((0.9, 0.9, 0.86),), barrier="boards", barrier_colour=(0.95, 0.95, 0.92),
        barrier_m=0.8, wires=False, row=("palm",), row_m=13, greens=(1.15, 1.1, 0.8),
        walls=((0.35, 0.75, 0.75), (0.55, 0.85, 0.8), (0.95, 0.95, 0.9)), roofs=((0.72, 0.2, 0.14),), roof="hip", material=2, covering=6,
        storeys=(1, 1), skyline="flat", skyline_foot=(0.2, 0.5, 0.55), skyline_top=(0.2, 0.55, 0.6), skyline_deg=0.6, air=(0.95, 1.06, 1.02),
    ),
    "frisland": Ways(
        road=(0.15, 0.15, 0.17), centre="dashes", centre_paint=WHITE, edge="dashes", edge_paint=YELLOW,
        pavement=(0.24, 0.24, 0.26), pavement_tile=3, kerbs=((0.3, 0.3, 0.32),), barrier="posts", barrier_colour=YELLOW,
        barrier_m=1.5, wires=False, row=("birch",), row_m=46, greens=(0.9, 0.95, 0.8),
        walls=((0.13, 0.12, 0.12), (0.5, 0.12, 0.1)), roofs=((0.3, 0.48, 0.16),), roof="gable", material=2, covering=3,
        storeys=(1, 2), skyline="volcano", skyline_foot=(0.14, 0.14, 0.17), skyline_top=(0.95, 0.96, 0.98), skyline_deg=13, air=(0.9, 0.97, 1.08),
    ),
    "hy-brasil": Ways(
        road=(0.32, 0.34, 0.32), centre="double", centre_paint=WHITE, edge="line", edge_paint=YELLOW,
        pavement=(0.5, 0.5, 0.48), pavement_tile=2, kerbs=((0.55, 0.55, 0.52),), barrier="hedge", barrier_colour=(0.14, 0.42, 0.1),
        barrier_m=1.5, wires=False, row=("round",), row_m=26, greens=(0.7, 1.15, 0.65),
        walls=((0.95, 0.95, 0.93),), roofs=((0.2, 0.22, 0.27),), roof="gable", material=0, covering=1,
        storeys=(1, 2), skyline="downs", skyline_foot=(0.2, 0.46, 0.12), skyline_top=(0.36, 0.6, 0.2), skyline_deg=7, air=(0.94, 1.0, 0.97),
    ),
    "bermeja": Ways(
        road=(0.74, 0.7, 0.64), joints=True, centre="double", centre_paint=YELLOW, edge="none", edge_paint=WHITE,
        pavement=(0.78, 0.46, 0.32), pavement_tile=0, kerbs=(YELLOW, BLACK), barrier="none", barrier_colour=BLACK,
        barrier_m=0.5, wires=True, row=("flame", "bush"), row_m=38, greens=(1.1, 1.0, 0.7),
        walls=((0.95, 0.3, 0.5), (0.98, 0.7, 0.1), (0.98, 0.45, 0.15)), roofs=((0.6, 0.36, 0.28),), roof="flat", material=6, covering=4,
        storeys=(1, 2), skyline="flat", skyline_foot=(0.66, 0.34, 0.2), skyline_top=(0.7, 0.38, 0.24), skyline_deg=1.5, air=(1.12, 1.02, 0.86),
    ),
    "antillia": Ways(
        road=(0.5, 0.44, 0.36), centre="none", centre_paint=YELLOW, edge="none", edge_paint=YELLOW,
        pavement=(0.7, 0.6, 0.45), pavement_tile=2, kerbs=((0.8, 0.74, 0.62),), barrier="wall", barrier_colour=(0.82, 0.66, 0.42),
        barrier_m=1.0, wires=False, row=("cypress",), row_m=15, greens=(0.75, 0.85, 0.6),
        walls=((0.88, 0.66, 0.32), (0.92, 0.76, 0.46)), roofs=((0.78, 0.38, 0.18),), roof="hip", material=4, covering=0,
        storeys=(2, 3), skyline="mesas", skyline_foot=(0.7, 0.4, 0.24), skyline_top=(0.84, 0.58, 0.36), skyline_deg=8, air=(1.08, 1.0, 0.92),
    ),
    "saxemberg": Ways(
        road=(0.56, 0.33, 0.23), centre="dashes", centre_paint=WHITE, edge="none", edge_paint=WHITE,
        pavement=(0.62, 0.4, 0.27), pavement_tile=3, kerbs=(WHITE,), barrier="boards", barrier_colour=(0.36, 0.24, 0.15),
        barrier_m=1.2, wires=False, row=("pine",), row_m=24, greens=(0.85, 0.95, 1.1),
        walls=((0.96, 0.9, 0.72),), roofs=((0.15, 0.36, 0.24),), roof="hip", material=0, covering=2,
        storeys=(1, 1), skyline="table", skyline_foot=(0.3, 0.36, 0.5), skyline_top=(0.42, 0.46, 0.6), skyline_deg=10, air=(1.04, 1.0, 1.02),
    ),
    "crocker-land": Ways(
        road=(0.5, 0.48, 0.45), centre="none", centre_paint=WHITE, edge="none", edge_paint=WHITE,
        pavement=(0.46, 0.42, 0.38), pavement_tile=3, kerbs=((0.45, 0.42, 0.4),), barrier="posts", barrier_colour=(1.0, 0.4, 0.05),
        barrier_m=2.4, wires=False, row=("bush",), row_m=90, greens=(1.0, 0.8, 0.6),
        walls=((0.85, 0.1, 0.1), (0.1, 0.3, 0.75)), roofs=((0.82, 0.84, 0.86),), roof="gable", material=5, covering=6,
        storeys=(1, 1), skyline="teeth", skyline_foot=(0.7, 0.8, 0.9), skyline_top=(0.97, 0.98, 1.0), skyline_deg=9, air=(0.92, 1.0, 1.12),
    ),
    "plover-land": Ways(
        road=(0.24, 0.23, 0.22), centre="double", centre_paint=YELLOW, edge="line", edge_paint=WHITE,
        pavement=(0.5, 0.47, 0.4), pavement_tile=0, kerbs=((0.5, 0.48, 0.44),), barrier="rail", barrier_colour=(0.72, 0.74, 0.76),
        barrier_m=0.85, wires=True, row=("bush", "pine"), row_m=55, greens=(1.1, 0.9, 0.5),
        walls=((0.85, 0.62, 0.15), (0.2, 0.45, 0.42)), roofs=((0.2, 0.35, 0.6),), roof="gable", material=7, covering=2,
        storeys=(2, 4), skyline="downs", skyline_foot=(0.42, 0.33, 0.2), skyline_top=(0.56, 0.44, 0.26), skyline_deg=5, air=(1.02, 0.95, 1.06),
    ),
    "dougherty": Ways(
        road=(0.09, 0.09, 0.1), centre="line", centre_paint=RED, edge="line", edge_paint=WHITE,
        pavement=(0.3, 0.32, 0.35), pavement_tile=0, kerbs=(RED, WHITE), barrier="wall", barrier_colour=(0.25, 0.26, 0.29),
        barrier_m=0.75, wires=False, row=("bush",), row_m=40, greens=(0.7, 0.85, 0.75),
        walls=((0.45, 0.2, 0.15), (0.36, 0.16, 0.13)), roofs=((0.14, 0.14, 0.16),), roof="gable", material=1, covering=1,
        storeys=(2, 3), skyline="cliffs", skyline_foot=(0.12, 0.13, 0.15), skyline_top=(0.22, 0.24, 0.2), skyline_deg=11, air=(0.88, 0.95, 0.96),
    ),
    "podesta": Ways(
        road=(0.44, 0.38, 0.42), centre="line", centre_paint=WHITE, edge="line", edge_paint=WHITE,
        pavement=(0.75, 0.6, 0.62), pavement_tile=1, kerbs=(BLACK, WHITE), barrier="bollards", barrier_colour=(0.95, 0.95, 0.92),
        barrier_m=1.0, wires=False, row=("jacaranda",), row_m=18, greens=(0.95, 1.05, 0.9),
        walls=((0.92, 0.72, 0.72), (0.78, 0.62, 0.78)), roofs=((0.3, 0.58, 0.5),), roof="hip", material=6, covering=2,
        storeys=(2, 4), skyline="cones", skyline_foot=(0.4, 0.28, 0.42), skyline_top=(0.55, 0.38, 0.5), skyline_deg=10, air=(1.08, 0.96, 1.04),
    ),
    "kianida": Ways(
        road=(0.4, 0.42, 0.45), centre="dashes", centre_paint=(0.95, 0.45, 0.1), edge="dashes", edge_paint=WHITE,
        pavement=(0.62, 0.64, 0.66), pavement_tile=0, kerbs=((0.15, 0.35, 0.75), WHITE), barrier="rail", barrier_colour=(0.15, 0.45, 0.3),
        barrier_m=1.1, wires=True, row=("olive", "round"), row_m=20, greens=(0.9, 1.0, 1.0),
        walls=((0.7, 0.7, 0.68), (0.62, 0.66, 0.7)), roofs=((0.42, 0.22, 0.16),), roof="flat", material=3, covering=7,
        storeys=(4, 6), skyline="ridges", skyline_foot=(0.1, 0.24, 0.12), skyline_top=(0.16, 0.34, 0.16), skyline_deg=13, air=(1.0, 1.02, 0.94),
    ),
}  # fmt: skip
