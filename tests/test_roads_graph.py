"""Road graphs against shapely's and networkx's own reading of the same lines."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from vidtag_engine.roads.graph import RoadGraph, RoadLine, build_graph


def line(*points: tuple[float, float], **tags) -> RoadLine:
    return RoadLine(np.array(points, dtype=float), **tags)


def ways(graph: RoadGraph) -> np.ndarray:
    """(M, M) metres of way from place to place."""
    step_m = (graph.length_m[graph.link_from] + graph.length_m[graph.link_to]) / 2
    links = sparse.csr_array((step_m, (graph.link_from, graph.link_to)), shape=(len(graph),) * 2)
    return dijkstra(links)


def nearest(graph: RoadGraph, x_m: float, y_m: float, heading_deg: float) -> int:
    apart = np.hypot(*(graph.xy_m - (x_m, y_m)).T) + np.abs((graph.heading_deg - heading_deg + 180) % 360 - 180)
    return int(apart.argmin())


def test_a_two_way_street_has_each_place_twice_and_its_ends_turn_round():
    graph = build_graph([line((0, 0), (100, 0))], 10.0)
    assert len(graph) == 20
    assert set(np.round(graph.heading_deg).astype(int)) == {90, 270}
    np.testing.assert_allclose(graph.xy_m[graph.opposite], graph.xy_m, atol=1e-9)
    np.testing.assert_allclose(graph.opposite[graph.opposite], np.arange(20))
    east, west = nearest(graph, 95, 0, 90), nearest(graph, 95, 0, 270)
    assert ways(graph)[east, west] == pytest.approx(10)  # round the dead end


def test_one_way_streets_are_driven_one_way_by_those_whom_they_bind():
    lines = [line((0, 0), (100, 0), oneway=-1)]
    assert set(build_graph(lines).heading_deg) == {270.0}
    assert (build_graph(lines).opposite == -1).all()
    assert len(build_graph(lines, spacing_m=10.0, respect_oneway=False)) == 20


def test_lines_that_cross_on_one_level_meet_and_bridges_do_not():
    ground = [line((-100, 0), (100, 0)), line((0, -100), (0, 100))]
    apart = ways(build_graph(ground))
    graph = build_graph(ground)
    assert np.isfinite(apart[nearest(graph, -50, 0, 90), nearest(graph, 0, 50, 0)])
    bridge = [ground[0], line((0, -100), (0, 100), level=1)]
    graph = build_graph(bridge)
    assert not np.isfinite(ways(graph)[nearest(graph, -50, 0, 90), nearest(graph, 0, 50, 0)])


def test_a_bridge_meets_the_streets_whose_ends_it_shares():
    graph = build_graph([line((-100, 0), (0, 0)), line((0, 0), (100, 0), level=1), line((50, -50), (50, 50))])
    apart = ways(graph)
    assert np.isfinite(apart[nearest(graph, -50, 0, 90), nearest(graph, 80, 0, 90)])
    assert not np.isfinite(apart[nearest(graph, -50, 0, 90), nearest(graph, 50, 30, 0)])


def test_an_end_that_all_but_touches_a_street_meets_it():
    graph = build_graph([line((-100, 0), (100, 0)), line((0, 0.6), (0, 100))])
    assert np.isfinite(ways(graph)[nearest(graph, -50, 0, 90), nearest(graph, 0, 50, 0)])


def test_a_finely_cut_street_is_as_long_as_a_whole_one():
    x = np.linspace(0, 300, 101)
    cut = [line((a, 0), (b, 0), name="High Street" if a < 150 else "Low Street") for a, b in pairwise(x)]
    graph = build_graph(cut, 10.0)
    assert len(graph) == 60
    assert graph.length_m.sum() == pytest.approx(600)
    assert graph.names[graph.name[nearest(graph, 75, 0, 90)]] == "High Street"
    assert graph.names[graph.name[nearest(graph, 225, 0, 270)]] == "Low Street"


def test_what_leaves_a_place_is_shared_out_whole_and_no_junction_turns_round():
    graph = build_graph([line((-100, 0), (100, 0)), line((0, -100), (0, 100))])
    out = np.bincount(graph.link_from, weights=graph.link_share, minlength=len(graph))
    np.testing.assert_allclose(out, 1.0)
    assert (np.diff(graph.link_to) >= 0).all()
    last = nearest(graph, -5, 0, 90)
    follows = graph.link_to[graph.link_from == last]
    assert len(follows) == 3
    assert graph.opposite[last] not in follows


def test_headings_are_the_streets_own():
    angle = np.linspace(0, np.pi / 2, 60)
    graph = build_graph([RoadLine(np.column_stack([200 * np.cos(angle), 200 * np.sin(angle)]))])
    at = np.degrees(np.arctan2(graph.xy_m[:, 1], graph.xy_m[:, 0]))
    # A counterclockwise circle about the origin: the heading is square to the radius.
    expected = (-at) % 360
    off = np.minimum(np.abs((graph.heading_deg - expected + 180) % 360 - 180), np.abs((graph.heading_deg - expected) % 360 - 180))
    assert off.max() < 1.0


def test_nothing_makes_an_empty_graph():
    assert len(build_graph([])) == 0
    assert len(build_graph([line((0, 0), (0.1, 0))])) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=12))
def test_lengths_and_ways_are_those_of_the_noded_lines(ends):
    """Against shapely's own noding and networkx's shortest ways, on lines of 50 m steps that cross anyhow."""
    lines = [line((50 * a, 50 * b), (50 * c, 50 * d)) for a, b, c, d in dict.fromkeys(ends) if (a, b) != (c, d)]
    if not lines:
        return
    graph = build_graph(lines, 10.0)
    noded = shapely.union_all([shapely.linestrings(one.xy_m) for one in lines])
    streets = nx.Graph()
    for part in shapely.get_parts(noded):
        start, end = (tuple(np.round(point, 3)) for point in (part.coords[0], part.coords[-1]))
        streets.add_edge(start, end, weight=part.length)
    if len({tuple(sorted(map(tuple, one.xy_m))) for one in lines}) == len(lines) and _overlaps(lines) == 0:
        # A piece has as many places as fit best; those shorter than half a place are their junction's.
        assert graph.length_m.sum() == pytest.approx(2 * noded.length, abs=2 * 5.0 * streets.number_of_edges())
        parts = nx.number_connected_components(streets)
        both = np.concatenate([graph.link_from, np.arange(len(graph))]), np.concatenate([graph.link_to, graph.opposite])
        links = sparse.csr_array((np.ones(len(both[0])), both), shape=(len(graph),) * 2)
        assert sparse.csgraph.connected_components(links, connection="weak")[0] == parts


def _overlaps(lines: list[RoadLine]) -> int:
    shapes = [shapely.linestrings(one.xy_m) for one in lines]
    return sum(shapely.intersection(a, b).length > 0 for i, a in enumerate(shapes) for b in shapes[:i])
