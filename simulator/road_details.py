"""What makes a plan of streets a road network: bridges, roundabouts, dead ends, names, footways and one-way streets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from shapely import LineString, STRtree

from .road_patterns import Pair, all_joined, spanning_edges
from .streets import Floats, resample

ROUNDABOUT_RADIUS_M = (15.0, 20.0)
ROUNDABOUT_SHARE = 0.035  # of the crossings
BRIDGES_PER_KM2 = 0.2
BRIDGE_HALF_M = 35.0
DEAD_END_SHARE = 0.075  # of all nodes
FOOTWAY_SHARE = 0.08  # of the length
ONEWAY_SHARE = 0.08  # of the length
SAME_STREET_DEG = 35.0  # a street goes on under its name where it bends by less

_FIRST = (
    "Alder,Anchor,Barone,Beacon,Birch,Cable,Campa,Canal,Captain,Cedar,Chapel,Chart,Cliff,Compass,Coral,Crocker,Cypress,Dulcert,Ferry,Fisher,"
    "Flora,Galloway,Garden,Gull,Harbour,Herald,Hill,Juniper,Kellett,Lantern,Lime,Lindeman,Lobster,Market,Meridian,Mill,Nereus,North,Olive,"
    "Orchard,Peary,Pilot,Pine,Pizzigano,Quarry,Reef,Rope,Saint Brendan,Sand,School,Sextant,Shell,Sorand,South,Station,Stewart,Tower,Velocity,"
    "Whaler,Zeno"
).split(",")
_KINDS = {
    "primary": ("Avenue", "Boulevard"),
    "secondary": ("Road", "Avenue"),
    "residential": ("Street", "Lane", "Way", "Close", "Row", "Rise"),
}


@dataclass
class Piece:
    """A stretch of street between two nodes while the network is being made; fields as in ``road_map.RoadEdge``."""

    start: int
    end: int
    line_m: Floats
    highway: str = "residential"
    name: str = ""
    oneway: bool = False
    bridge: bool = False
    roundabout: bool = False

    @property
    def length_m(self) -> float:
        """Of the middle line."""
        return float(np.hypot(*np.diff(self.line_m, axis=0).T).sum())

    def away(self, node: int) -> Floats:
        """The line as it leaves one of its ends."""
        return self.line_m if self.start == node else self.line_m[::-1]


@dataclass
class Draft:
    """Nodes (x, y) and pieces while they are being made."""

    nodes_m: list[Floats]
    pieces: list[Piece]

    def arms(self) -> list[list[int]]:
        """Numbers of the pieces at every node."""
        found: list[list[int]] = [[] for _ in self.nodes_m]
        for number, piece in enumerate(self.pieces):
            found[piece.start].append(number)
            found[piece.end].append(number)
        return found

    def add_node(self, at_m: Floats) -> int:
        """A new node's number."""
        self.nodes_m.append(np.asarray(at_m, float))
        return len(self.nodes_m) - 1


def direction(line_m: Floats, reach_m: float = 8.0) -> float:
    """Angle in radians, counterclockwise from east, in which a line leaves its first point, over its first ``reach_m``."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line_m, axis=0).T))])
    at = min(reach_m, float(along[-1]))
    step = np.array([np.interp(at, along, line_m[:, axis]) for axis in (0, 1)]) - line_m[0]
    return float(np.arctan2(step[1], step[0]))


def cut_line(line_m: Floats, at_m: float) -> tuple[Floats, Floats]:
    """The parts of a line before and after a way along it, sharing that point."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line_m, axis=0).T))])
    point = np.array([[np.interp(at_m, along, line_m[:, axis]) for axis in (0, 1)]])
    before, after = line_m[along < at_m - 0.05], line_m[along > at_m + 0.05]
    return np.concatenate([before, point]), np.concatenate([point, after])


def _bend_deg(a: Floats, b: Floats) -> float:
    """By how much the way bends that comes in on one line that leaves a node and goes out on the other."""
    return abs(float(np.rad2deg((direction(a) - direction(b)) % (2 * np.pi) - np.pi)))


def _smoothed(line_m: Floats) -> Floats:
    """A line without the corner where two were joined; its ends stay."""
    smooth = gaussian_filter1d(line_m, 2.0, axis=0, mode="nearest")
    smooth[[0, -1]] = line_m[[0, -1]]
    return smooth


def add_bridges(draft: Draft, count: int, rng: np.random.Generator) -> None:
    """At some crossings of four arms one street is lifted over the other: they no longer meet."""
    gone: set[int] = set()
    candidates = [(node, arms) for node, arms in enumerate(draft.arms()) if len(arms) == 4]
    for index in rng.permutation(len(candidates)):
        node, arms = candidates[int(index)]
        if count == 0:
            break
        arms = sorted(arms, key=lambda number: direction(draft.pieces[number].away(node)))
        lines = [draft.pieces[number].away(node) for number in arms]
        if gone & set(arms) or min(draft.pieces[number].length_m for number in arms) < 2.4 * BRIDGE_HALF_M:
            continue
        if max(_bend_deg(lines[0], lines[2]), _bend_deg(lines[1], lines[3])) > 25:
            continue
        far = [draft.pieces[number].end if draft.pieces[number].start == node else draft.pieces[number].start for number in arms]
        if far[1] == far[3] or far[0] == far[2]:
            continue
        gone |= set(arms)
        count -= 1
        # The shared point is left out of both, so that no vertex is common to them.
        approach, last = cut_line(lines[0], BRIDGE_HALF_M), cut_line(lines[2], BRIDGE_HALF_M)
        over = _smoothed(np.concatenate([approach[0][:0:-1], last[0][1:]]))
        ends = draft.add_node(over[0]), draft.add_node(over[-1])
        kind = draft.pieces[arms[0]].highway
        draft.pieces += [
            Piece(far[0], ends[0], approach[1][::-1], kind),
            Piece(ends[0], ends[1], over, kind, bridge=True),
            Piece(ends[1], far[2], last[1], kind),
            Piece(far[1], far[3], _smoothed(np.concatenate([lines[1][:0:-1], lines[3][1:]])), draft.pieces[arms[1]].highway),
        ]
    draft.pieces = [piece for number, piece in enumerate(draft.pieces) if number not in gone]


def add_roundabouts(draft: Draft, count: int, rng: np.random.Generator) -> None:
    """Some crossings become rings that are driven counterclockwise, as where people keep to the right; larger streets first."""
    arms_of = draft.arms()
    rank = {"primary": 0.0, "secondary": 0.6, "residential": 1.2}
    candidates = [
        (min(rank[draft.pieces[number].highway] for number in arms) + rng.random(), node)
        for node, arms in enumerate(arms_of)
        if len(arms) in {3, 4, 5} and min(draft.pieces[number].length_m for number in arms) > 75
    ]
    taken: set[int] = set()
    for _, node in sorted(candidates):
        arms = arms_of[node]
        around = {end for number in arms for end in (draft.pieces[number].start, draft.pieces[number].end)}
        if count == 0 or taken & around or any(draft.pieces[number].bridge for number in arms):
            continue
        taken |= around
        count -= 1
        radius, centre = float(rng.uniform(*ROUNDABOUT_RADIUS_M)), draft.nodes_m[node]
        ring = []
        for number in arms:
            piece = draft.pieces[number]
            line = resample(piece.away(node), 1.0)
            outside = int(np.argmax(np.hypot(*(line - centre).T) >= radius))
            angle = float(np.arctan2(*(line[outside] - centre)[::-1]))
            at = centre + radius * np.array([np.cos(angle), np.sin(angle)])
            new = draft.add_node(at)
            line = resample(np.concatenate([at[None], line[outside + 2 :]]), 6.0)
            if piece.start == node:
                piece.start, piece.line_m = new, line
            else:
                piece.end, piece.line_m = new, line[::-1]
            ring.append((angle, new))
        ring.sort()
        kind = min((draft.pieces[number].highway for number in arms), key=rank.__getitem__)
        for (angle, new), (following, other) in zip(ring, [*ring[1:], (ring[0][0] + 2 * np.pi, ring[0][1])], strict=True):
            turns = np.linspace(angle, following, max(3, round(radius * (following - angle) / 3)))
            arc = centre + radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            draft.pieces.append(Piece(new, other, arc, kind, oneway=True, roundabout=True))


def add_dead_ends(draft: Draft, *, square: bool, rng: np.random.Generator) -> None:
    """Short streets that leave others half-way and lead to nothing but houses; right-angled where ``square``."""
    count = round(DEAD_END_SHARE / (1 - 2 * DEAD_END_SHARE) * len({node for piece in draft.pieces for node in (piece.start, piece.end)}))
    tree, stubs = STRtree([LineString(piece.line_m) for piece in draft.pieces]), list[LineString]()
    for number in rng.permutation(len(draft.pieces)):
        piece = draft.pieces[number]
        if count == 0:
            break
        if piece.length_m < 105 or piece.bridge or piece.roundabout:
            continue
        first, second = cut_line(piece.line_m, piece.length_m * float(rng.uniform(0.33, 0.67)))
        sideways = direction(second) + float(rng.choice([-1, 1])) * np.pi / 2 + (0 if square else np.deg2rad(rng.normal(0, 10)))
        away, swing = np.array([np.cos(sideways), np.sin(sideways)]), 0.0 if square else float(rng.uniform(-0.15, 0.15))
        reach = float(rng.uniform(45, 65) if square else rng.uniform(45, 140))
        t = np.linspace(0, 1, 12)[:, None]
        line = resample(first[-1] + t * reach * away + swing * reach * t**2 * np.array([-away[1], away[0]]), 6.0)
        free = LineString(line[3:]).buffer(20)
        # Its own street is 18 m from the fourth point; everything else must be farther.
        near = [int(other) for other in tree.query(free, predicate="intersects") if other != number]
        if (
            near
            or any(free.intersects(other) for other in stubs)
            or free.distance(LineString(np.concatenate([first[:-3], second[3:]]))) > 25
        ):
            continue
        count -= 1
        stubs.append(LineString(line))
        middle, end = draft.add_node(line[0]), draft.add_node(line[-1])
        draft.pieces += [Piece(middle, piece.end, second, piece.highway), Piece(middle, end, line)]
        piece.end, piece.line_m = middle, first


def name_streets(draft: Draft, rng: np.random.Generator) -> None:
    """Pieces that go on straight carry one name; a few small ones have none."""
    parent = list(range(len(draft.pieces)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    for node, arms in enumerate(draft.arms()):
        open_ = {number for number in arms if not draft.pieces[number].roundabout}
        pairs = sorted((_bend_deg(draft.pieces[a].away(node), draft.pieces[b].away(node)), a, b) for a in open_ for b in open_ if a < b)
        for bend, a, b in pairs:
            if bend < SAME_STREET_DEG and {a, b} <= open_ and draft.pieces[a].highway == draft.pieces[b].highway:
                open_ -= {a, b}
                parent[root(a)] = root(b)
    names: dict[int, str] = {}
    used: set[str] = set()
    for number, piece in enumerate(draft.pieces):
        if piece.roundabout:
            continue
        street = root(number)
        if street not in names:
            for _ in range(20):  # in a large town the same name comes twice, far apart
                names[street] = f"{rng.choice(_FIRST)} {rng.choice(_KINDS[piece.highway])}"
                if names[street] not in used:
                    break
            used.add(names[street])
            if piece.highway == "residential" and rng.random() < 0.05:
                names[street] = ""
        piece.name = names[street]


def set_footways(draft: Draft, rng: np.random.Generator) -> None:
    """Some small streets are for people on foot alone; cars can still go everywhere else."""
    ends: list[Pair] = [(piece.start, piece.end) for piece in draft.pieces]
    needed = spanning_edges(ends, len(draft.nodes_m), rng)
    degree = np.bincount(np.array(ends).ravel(), minlength=len(draft.nodes_m))
    left = FOOTWAY_SHARE * sum(piece.length_m for piece in draft.pieces)
    for number in rng.permutation(len(draft.pieces)):
        piece = draft.pieces[number]
        if piece.highway != "residential" or piece.bridge or piece.roundabout or number in needed:
            continue
        if left > 0 and min(degree[piece.start], degree[piece.end]) > 2:
            piece.highway = "footway"
            degree[[piece.start, piece.end]] -= 1
            left -= piece.length_m


def set_one_ways(draft: Draft, rng: np.random.Generator) -> None:
    """Small streets that are driven one way, a whole street where it can be; from everywhere one still gets everywhere."""
    arms_of = draft.arms()

    def joined() -> bool:
        arcs = [(piece.start, piece.end, piece.oneway) for piece in draft.pieces if piece.highway != "footway"]
        starts = [a for a, _, _ in arcs] + [b for _, b, one in arcs if not one]
        ends = [b for _, b, _ in arcs] + [a for a, _, one in arcs if not one]
        return all_joined(starts, ends, len(draft.nodes_m), sorted({*starts, *ends}))

    left = ONEWAY_SHARE * sum(piece.length_m for piece in draft.pieces)
    for number in rng.permutation(len(draft.pieces)):
        if left <= 0:
            return
        chain, node = [int(number)], draft.pieces[number].end
        if draft.pieces[number].highway != "residential" or draft.pieces[number].oneway or draft.pieces[number].bridge:
            continue
        for _ in range(3):  # it goes on under the same name for up to four blocks
            on = [k for k in arms_of[node] if k not in chain and draft.pieces[k].name and draft.pieces[k].name == draft.pieces[number].name]
            if not on or draft.pieces[on[0]].oneway or draft.pieces[on[0]].highway != "residential":
                break
            piece = draft.pieces[on[0]]
            if piece.start != node:
                piece.start, piece.end, piece.line_m = piece.end, piece.start, piece.line_m[::-1].copy()
            chain.append(on[0])
            node = piece.end
        while chain:
            for k in chain:
                draft.pieces[k].oneway = True
            if joined():
                left -= sum(draft.pieces[k].length_m for k in chain)
                break
            for k in chain:
                draft.pieces[k].oneway = False
            chain = chain[: len(chain) // 2]
