"""A tiny world to fly over: a random picture of the ground, and videos that are crops of it along a path, with their tracks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np

LAT0_DEG, LON0_DEG = -19.22, 159.93
M_PER_DEG = 111_320.0
SIZE_M = 400.0
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ground(seed: int = 0, size_px: int = 1024) -> np.ndarray:
    """(size, size, 3) uint8: coloured noise at many scales, so that places look different near and far."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size_px, size_px, 3))
    for cells in (4, 8, 16, 64):
        coarse = rng.random((cells, cells, 3))
        picture += np.kron(coarse, np.ones((size_px // cells, size_px // cells, 1))) / 4
    return (255 * (picture - picture.min()) / np.ptp(picture)).astype(np.uint8)


def place_of(x_m: np.ndarray, y_m: np.ndarray) -> np.ndarray:
    """(n, 2) lat, lon in degrees of metres east and north of the world's south-west corner."""
    lat = LAT0_DEG + y_m / M_PER_DEG
    return np.stack([lat, LON0_DEG + x_m / (M_PER_DEG * np.cos(np.radians(LAT0_DEG)))], axis=1)


def aoi_text() -> str:
    low, high = place_of(np.array([0.0, SIZE_M]), np.array([0.0, SIZE_M]))
    return f"{low[1]},{low[0]},{high[1]},{high[0]}"


def fly(path: Path, waypoints_m: list[tuple[float, float]], frames: int, *, world: np.ndarray, gpx: bool = True) -> np.ndarray:
    """Write a 1-frame-a-second video over the waypoints and its GPX; returns (frames, 2) truth lat, lon."""
    corners = np.array(waypoints_m, dtype=float)
    along = np.linspace(0, len(corners) - 1, frames)
    x_m = np.interp(along, np.arange(len(corners)), corners[:, 0])
    y_m = np.interp(along, np.arange(len(corners)), corners[:, 1])
    pixel = world.shape[0] / SIZE_M
    with av.open(str(path), "w") as container:
        container.metadata["creation_time"] = START.isoformat()
        stream = container.add_stream("libx264", rate=1)
        stream.width = stream.height = 160
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        for x, y in zip(x_m, y_m, strict=True):
            left = int(np.clip(x * pixel - 80, 0, world.shape[1] - 160))
            top = int(np.clip(world.shape[0] - y * pixel - 80, 0, world.shape[0] - 160))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(world[top : top + 160, left : left + 160]), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    truth = place_of(x_m, y_m)
    if gpx:
        points = "".join(
            f'<trkpt lat="{lat:.8f}" lon="{lon:.8f}"><time>{(START + timedelta(seconds=i)).isoformat()}</time></trkpt>'
            for i, (lat, lon) in enumerate(truth)
        )
        text = f'<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'
        path.with_suffix(".gpx").write_text(text, encoding="utf-8")
    return truth
