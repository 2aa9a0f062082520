"""A small world to film: textured ground and blocks of houses, seen by a pinhole camera on a known path. Drawn by casting rays, without the engine."""

from dataclasses import dataclass

import numpy as np

TEXELS_M = 60.0
SIZE = 1024


@dataclass
class Path:
    """Where a camera is: (N,) moments, places east and north in metres, headings clockwise from north in radians."""

    time_s: np.ndarray
    east_m: np.ndarray
    north_m: np.ndarray
    heading: np.ndarray


def path_of(parts, rate_hz=15.0, start=(0.0, 0.0), heading_deg=0.0):
    """Drive ``parts`` of (seconds, m/s, degrees a second)."""
    speed = np.concatenate([np.full(round(s * rate_hz), v) for s, v, _ in parts])
    yaw = np.concatenate([np.full(round(s * rate_hz), np.radians(w)) for s, _, w in parts])
    heading = np.radians(heading_deg) + np.concatenate([[0.0], np.cumsum(yaw) / rate_hz])
    middle = (heading[1:] + heading[:-1]) / 2
    east = start[0] + np.concatenate([[0.0], np.cumsum(speed * np.sin(middle)) / rate_hz])
    north = start[1] + np.concatenate([[0.0], np.cumsum(speed * np.cos(middle)) / rate_hz])
    return Path(np.arange(len(heading)) / rate_hz, east, north, heading)


class Scene:
    """Blocks of 30 m on a grid of 50 m with 9 m of height; streets of 20 m between them, their middles at multiples of 50 m."""

    def __init__(self, size_px=(480, 270), view_deg=66.0, height_m=1.4, pitch_deg=0.0, seed=0):
        import cv2

        self.cv2 = cv2
        rng = np.random.default_rng(seed)
        texture = np.zeros((SIZE, SIZE), dtype=np.float32)
        for octave, weight in ((4, 0.5), (8, 0.8), (16, 1.0), (32, 1.0), (64, 0.8), (SIZE // 8, 0.7)):
            noise = rng.normal(size=(SIZE // octave * 1, SIZE // octave * 1)).astype(np.float32)
            texture += weight * cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        texture = 128 + 38 * texture / texture.std()
        self.levels = [texture]
        while self.levels[-1].shape[0] > 8:
            self.levels.append(cv2.resize(self.levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        self.size_px, self.height_m = size_px, height_m
        self.focal_px = size_px[0] / 2 / np.tan(np.radians(view_deg) / 2)
        x, y = np.meshgrid(np.arange(size_px[0]) - (size_px[0] - 1) / 2, np.arange(size_px[1]) - (size_px[1] - 1) / 2)
        rays = np.stack([x / self.focal_px, np.ones_like(x), -y / self.focal_px], axis=-1)  # right, ahead, up
        pitch = np.radians(pitch_deg)  # upwards
        self.rays = rays @ np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])

    def picture(self, east_m, north_m, heading):
        """(height, width) uint8 seen from a place on the ground, 1.4 m above it."""
        c, s = np.cos(heading), np.sin(heading)
        right, ahead, up = np.moveaxis(self.rays, -1, 0)
        d_east, d_north = c * right + s * ahead, c * ahead - s * right
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.where(up < -1e-4, self.height_m / -up, np.inf)
            u, v = east_m + depth * d_east, north_m + depth * d_north
            for axis, place, d, other, d_other in ((0, east_m, d_east, north_m, d_north), (1, north_m, d_north, east_m, d_east)):
                base = 50 * np.round(place / 50)
                for wall in (base + k * 50 + side for k in range(-5, 6) for side in (10.0, 40.0)):
                    t = (wall - place) / d
                    along, high = other + t * d_other, self.height_m + t * up
                    block = np.abs((along - 25) - 50 * np.round((along - 25) / 50)) < 15
                    hit = (t > 0.05) & (t < depth) & block & (high > 0) & (high < 9)
                    depth = np.where(hit, t, depth)
                    u, v = np.where(hit, along + 37.3 * wall + 11 * axis, u), np.where(hit, high + 17.1 * wall, v)
        return self._sampled(u, v, depth)

    def _sampled(self, u, v, depth):
        sky = ~np.isfinite(depth) | (depth > 400)
        u, v = np.where(sky, 0, u) * TEXELS_M, np.where(sky, 0, v) * TEXELS_M
        fine = np.log2(np.maximum(np.where(sky, 1.0, depth) * TEXELS_M / self.focal_px, 1.0)) + 0.5
        level = np.clip(fine.astype(int), 0, len(self.levels) - 1)
        picture = np.full(u.shape, 220.0, dtype=np.float32)
        for k in np.unique(level[~sky]):
            chosen = (level == k) & ~sky
            mip = self.levels[k]
            scale = mip.shape[0] / SIZE
            at = [((axis * scale - 0.5 * (1 - scale)) % mip.shape[0]).astype(np.float32) for axis in (u, v)]
            padded = np.pad(mip, ((0, 2), (0, 2)), mode="wrap")
            drawn = self.cv2.remap(padded, at[0], at[1], self.cv2.INTER_LINEAR)
            picture[chosen] = drawn[chosen]
        return np.clip(picture, 0, 255).astype(np.uint8)

    def pictures(self, path, change=None):
        for i in range(len(path.time_s)):
            picture = self.picture(path.east_m[i], path.north_m[i], path.heading[i])
            yield picture if change is None else change(i, picture)


def write_video(file, pictures, rate_hz=15.0):
    """Gray pictures as H.264."""
    import av

    with av.open(str(file), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=round(rate_hz), options={"preset": "veryfast", "crf": "23"})
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[:, :, None], 3, axis=2), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file
