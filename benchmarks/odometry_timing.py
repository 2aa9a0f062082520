"""Seconds to place a drive by its way, by the number of places that the network has."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import shapely

from simulator.drive_motion import PRESETS, observed_motion
from simulator.long_drives import plan_long_drives
from simulator.road_map import build_roads
from vidtag_engine.roads.decoder import RoadDecoder
from vidtag_engine.roads.fitted import fitted_roads
from vidtag_engine.roads.graph import RoadLine, build_graph
from vidtag_engine.roads.profile import Way

SIDE_M = 12_600.0
WANTED = (1_000, 3_000, 10_000, 30_000, 100_000)
DRIVES = 3
LASTS_S = 300.0


def timing(seed: int) -> dict[str, Any]:
    """Drives of five minutes through the middle of ever larger pieces of one city; the exponent is that of a power law through all sizes."""
    roads = build_roads(seed, "frisland", SIDE_M)
    lines = [RoadLine(edge.line_m, edge.name, int(edge.oneway), int(edge.bridge)) for edge in roads.edges if edge.driven]
    whole = build_graph(lines)
    drives = plan_long_drives(roads, DRIVES, seed, LASTS_S, LASTS_S)
    noise = PRESETS["measured"]
    rows = []
    for wanted in WANTED:
        half = SIDE_M / 2 * min(1.0, np.sqrt(wanted / len(whole)))
        box = shapely.box(-half, -half, half, half)
        graph = build_graph([line for line in lines if box.intersects(shapely.linestrings(line.xy_m))])
        decoder = RoadDecoder(graph, fitted_roads().model)
        spent = []
        for number, drive in enumerate(drives):
            way = Way.of(observed_motion(drive, noise, np.random.default_rng([seed, number])))
            since = time.perf_counter()
            decoder.decode(way)
            spent.append(time.perf_counter() - since)
        rows.append((len(graph), float(np.median(spent))))
        print(f"{len(graph):,} places: {rows[-1][1]:.2f} s")
    places, seconds = np.log(np.array(rows)).T
    return {
        "graph_places": [int(count) for count, _ in rows],
        "graph_seconds": [round(value, 3) for _, value in rows],
        "graph_s": round(rows[-1][1], 2),
        "growth_exponent": round(float(np.polyfit(places, seconds, 1)[0]), 3),
    }
