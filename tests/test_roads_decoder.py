"""The decoder over roads against all ways of a small network, counted one by one, and on drives whose way is known."""

from collections import defaultdict

import numpy as np
import pytest

from vidtag_engine.motion import Motion
from vidtag_engine.roads.answer import candidates, placed
from vidtag_engine.roads.decoder import RoadDecoder, RoadModel
from vidtag_engine.roads.graph import RoadGraph, RoadLine, build_graph
from vidtag_engine.roads.profile import Way

EXACT = RoadModel(slack=0.1, leave=0.0, prune=0.0, metric_steps=0)


def town(seed: int = 0, side: int = 6, block_m: float = 140.0) -> RoadGraph:
    """A bent grid, no two blocks alike."""
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1) * block_m + rng.uniform(-40, 40, (side, side, 2))
    lines = []
    for i in range(side):
        for j in range(side):
            for k, m in ((i + 1, j), (i, j + 1)):
                if k < side and m < side and rng.random() < 0.85:
                    lines.append(RoadLine(np.array([at[i, j], at[k, m]]), f"Street {len(lines)}"))
    return build_graph(lines)


def wander(graph: RoadGraph, steps: int, seed: int) -> np.ndarray:
    """Places that follow each other."""
    rng = np.random.default_rng(seed)
    follows = defaultdict(list)
    for one, other in zip(graph.link_from.tolist(), graph.link_to.tolist(), strict=True):
        follows[one].append(other)
    route = [int(rng.integers(len(graph)))]
    while len(route) <= steps:
        route.append(int(rng.choice(follows[route[-1]])))
    return np.array(route)


def motion_along(
    graph: RoadGraph, route: np.ndarray, *, mps: float = 7.5, unit: float = 1.0, metric: bool = True, noise_deg: float = 0.0
) -> Motion:
    """Driven evenly along places, read every 2 s."""
    way_m = np.concatenate([[0.0], np.cumsum((graph.length_m[route[1:]] + graph.length_m[route[:-1]]) / 2)])
    time_s = np.arange(0.0, way_m[-1] / mps, 2.0)
    heading = np.degrees(np.interp(time_s * mps, way_m, np.unwrap(np.radians(graph.heading_deg[route]))))
    turn = np.diff(heading) + np.random.default_rng(1).normal(0, noise_deg, len(time_s) - 1)
    ones = np.ones(len(turn))
    return Motion(time_s, turn, 1.5 * ones, mps / unit * ones, 0.1 * ones, metric, "track")


def off_m(graph: RoadGraph, route: np.ndarray, motion: Motion, ways, mps: float = 7.5) -> np.ndarray:
    """(S, T) how far each drawn way is from the truth."""
    way_m = np.concatenate([[0.0], np.cumsum((graph.length_m[route[1:]] + graph.length_m[route[:-1]]) / 2)])
    true = np.stack([np.interp(motion.time_s * mps, way_m, graph.xy_m[route, axis]) for axis in (0, 1)], axis=1)
    return np.hypot(*(placed(ways, graph, motion.time_s, motion.time_s).xy_m - true).transpose(2, 0, 1))


def every_way(decoder: RoadDecoder, way: Way) -> tuple[float, np.ndarray]:
    """Log evidence and last places' posterior by following every way, each with its own north: nothing is merged, nothing let go."""
    graph, of = decoder.graph, decoder.model
    (guess,) = decoder.guesses(way)
    profile = way.profile(guess.metres, graph.spacing_m)
    power = graph.spacing_m / of.correlation_m
    follows = defaultdict(list)
    for one, other, share in zip(graph.link_from.tolist(), graph.link_to.tolist(), graph.link_share.tolist(), strict=True):
        follows[one].append((other, share))
    unit = np.exp(1j * np.radians(graph.heading_deg))
    ways = [
        (place, float(decoder.prior[place]), unit[place] * np.exp(-1j * np.radians(profile.heading_deg[0]))) for place in range(len(graph))
    ]
    for step in range(len(profile)):
        back = np.exp(-1j * np.radians(profile.heading_deg[step]))
        std = np.radians(np.hypot(of.heading_std_deg, of.corner_share * profile.change_deg[step]))

        def fits(place: int, north: complex, back: complex = back, std: float = std) -> float:
            apart = (unit[place] * back * np.conj(north)).real
            return ((1 - of.outlier_probability) * np.exp((apart - 1) / std**2) + of.outlier_probability) ** power

        moved = []
        for place, weight, north in ways:
            ahead = [(other, weight * share * fits(other, north), north) for other, share in follows[place]]
            moved += [(other, one * (1 - 2 * of.slack), north) for other, one, _ in ahead]
            if step % 2:
                moved += [
                    (far, one * share * fits(far, north) * 2 * of.slack, north) for other, one, _ in ahead for far, share in follows[other]
                ]
            else:
                moved.append((place, weight * fits(place, north) * 2 * of.slack, north))
        drift = of.drift_share * (np.radians(of.heading_std_deg) / std) ** 2
        share = max(drift, 1 / (step + 2))
        ways = []
        for place, weight, north in moved:
            blended = (1 - share) * north + share * unit[place] * back
            ways.append((place, weight, blended / abs(blended)))
    last = np.zeros(len(graph))
    np.add.at(last, [place for place, _, _ in ways], [weight for _, weight, _ in ways])
    return float(np.log(last.sum())), last / last.sum()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_filter_is_that_of_all_ways_counted_one_by_one(seed):
    graph = town(seed, side=3)
    route = wander(graph, 10, seed)
    decoder = RoadDecoder(graph, EXACT)
    way = Way.of(motion_along(graph, route))
    log_evidence, last = every_way(decoder, way)
    ways = decoder.decode(way, 4000, seed=seed)
    profile = next(iter(ways.profiles.values()))
    marks = decoder._filter(profile, graph.spacing_m / EXACT.correlation_m, None)
    assert marks[-1] == pytest.approx(log_evidence, abs=0.15)
    drawn = np.bincount([way[-1] for way in ways.place], minlength=len(graph)) / len(ways.place)
    assert np.abs(drawn - last).sum() / 2 < 0.1  # 4,000 draws of exact shares would be off by 0.03 to 0.06


@pytest.mark.parametrize(("unit", "metric"), [(1.0, True), (0.4, False), (2.5, False)])
def test_a_drive_is_found_whatever_the_unit_of_its_speed(unit, metric):
    graph = town(3)
    route = wander(graph, 130, 3)
    motion = motion_along(graph, route, unit=unit, metric=metric, noise_deg=1.0)
    ways = RoadDecoder(graph).decode(Way.of(motion))
    assert np.median(off_m(graph, route, motion, ways)) < 25
    best = ways.share[ways.share[:, 1].argmax(), 0]
    assert best == pytest.approx(unit if not metric else 1.0, rel=0.12)


def test_stops_change_nothing_but_the_times():
    graph = town(4)
    route = wander(graph, 120, 4)
    motion = motion_along(graph, route)
    stand = 30
    speed = np.insert(motion.speed, stand, np.zeros(40))
    turn = np.insert(motion.turn_deg, stand, np.zeros(40))
    time_s = np.arange(len(speed) + 1) * 2.0
    ones = np.ones(len(speed))
    stood = Motion(time_s, turn, ones, speed, 0.1 * ones, True, "track")
    ways = RoadDecoder(graph).decode(Way.of(stood))
    found = placed(ways, graph, time_s, time_s)
    assert np.abs(np.diff(found.xy_m[:, stand + 1 : stand + 40], axis=1)).max() == 0.0
    whole = placed(RoadDecoder(graph).decode(Way.of(motion)), graph, motion.time_s, motion.time_s)
    np.testing.assert_allclose(np.median(found.xy_m[:, -1], axis=0), np.median(whole.xy_m[:, -1], axis=0), atol=15)


def test_a_street_that_the_map_lacks_is_crossed():
    graph = town(5)
    route = wander(graph, 140, 5)
    arcs = list(dict.fromkeys(graph.arc[route].tolist()))
    gone = arcs[len(arcs) // 2]
    twin = graph.arc[graph.opposite[graph.arc == gone]]
    kept = ~np.isin(graph.arc, [gone, *twin.tolist()])
    number = np.cumsum(kept) - 1
    links = kept[graph.link_from] & kept[graph.link_to]
    left = RoadGraph(
        graph.xy_m[kept], graph.heading_deg[kept], graph.length_m[kept], graph.arc[kept], graph.name[kept], graph.names, number[graph.opposite[kept]],
        number[graph.link_from[links]], number[graph.link_to[links]], graph.link_share[links], graph.spacing_m,
    )  # fmt: skip
    motion = motion_along(graph, route, noise_deg=0.5)
    off = off_m(graph, route, motion, RoadDecoder(left).decode(Way.of(motion)))
    # motion_along's own ways are placed by their places alone, which both graphs share.
    assert np.median(off) < 30
    assert np.median(off[:, -1]) < 40


def test_a_cut_may_lead_anywhere_and_what_comes_after_is_placed_too():
    graph = town(6)
    one, other = wander(graph, 110, 6), wander(graph, 110, 7)
    first, second = motion_along(graph, one), motion_along(graph, other)
    speed = np.concatenate([first.speed, [np.nan], second.speed])
    turn = np.concatenate([first.turn_deg, [np.nan], second.turn_deg])
    ones = np.ones(len(speed))
    motion = Motion(np.arange(len(speed) + 1) * 2.0, turn, ones, speed, 0.1 * ones, True, "track", cuts=(len(first.speed),))
    ways = RoadDecoder(graph).decode(Way.of(motion))
    found = placed(ways, graph, motion.time_s, motion.time_s).xy_m
    assert np.median(np.hypot(*(found[:, 20] - graph.xy_m[one[20]]).T)) < 40
    assert np.median(np.hypot(*(found[:, -1] - graph.xy_m[other[-1]]).T)) < 60


def test_streets_that_are_alike_are_candidates_alike():
    square = [RoadLine(np.array([[x, y], [x + 300, y], [x + 300, y + 200]], dtype=float)) for x, y in ((0, 0), (2000, 0))]
    graph = build_graph(square)
    ones = np.ones(20)
    turn = np.zeros(20)
    turn[12] = -90.0
    motion = Motion(np.arange(21.0) * 2, turn, ones, 10.0 * ones, 0.1 * ones, True, "track")
    found = placed(RoadDecoder(graph).decode(Way.of(motion)), graph, motion.time_s, motion.time_s)
    assert 0.35 < (found.xy_m[:, 10, 0] > 1000).mean() < 0.65
    first, second, *_ = candidates(found, graph)
    assert abs(first.xy_m[10, 0] - second.xy_m[10, 0]) == pytest.approx(2000, abs=60)


def test_the_same_seed_draws_the_same_ways():
    graph = town(8)
    motion = motion_along(graph, wander(graph, 60, 8), metric=False)
    one, other = (RoadDecoder(graph).decode(Way.of(motion), 64, seed=5) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one.place, other.place, strict=True))


def test_a_misread_sign_at_speed_is_no_reversing():
    speed = np.array([8.0, 8, 8, -8, 8, 8, 4, 1, -1, -2, -1, 1, 4, 8])
    ones = np.ones(len(speed))
    way = Way.of(Motion(np.arange(len(speed) + 1.0), 0 * ones, ones, speed, 0.1 * ones, True, "track"))
    assert way.motion.speed[3] == 8.0
    assert (way.motion.speed[8:11] < 0).all()
