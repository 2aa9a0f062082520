"""Areas, small location encoders and queries for tests of the search."""

from __future__ import annotations

import numpy as np
import torch

from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.models.location_encoder import LocationEncoder, LocationEncoderConfig

AREAS = {
    "plain": ("10,45,10.1,45.08", 40.0),
    "slanted": "POLYGON((10 45,10.08 45.03,10.1 45.09,10.03 45.07,10 45))",
    "across the seam": ("179.95,-17,180.05,-16.92", 40.0),
    "far north": ("20,80,20.5,80.08", 40.0),
    "parts and holes": "MULTIPOLYGON(((10 45,10.08 45.02,10.07 45.08,10 45.06,10 45),(10.03 45.03,10.05 45.035,10.04 45.05,10.03 45.03)),"
    "((10.1 45,10.14 45,10.13 45.05,10.1 45)))",
}


class Model(torch.nn.Module):
    """A small location encoder of ours with random weights."""

    def __init__(self, sigma=(2.0**8, 2.0**11), seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.location_encoder = LocationEncoder(LocationEncoderConfig(sigma=sigma, frequencies=64, hidden=(64,), embedding_dim=32))

    def embed_locations(self, lat_lon_deg):
        return torch.nn.functional.normalize(self.location_encoder(lat_lon_deg), dim=-1)


class Ridges(torch.nn.Module):
    """Smooth along one slanting direction, quick across it."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        across = torch.tensor([[1.0], [0.4]], dtype=torch.float64) @ torch.randn(1, 16, generator=generator, dtype=torch.float64) * 250
        self.weights = torch.nn.Parameter(across + torch.randn(2, 16, generator=generator, dtype=torch.float64) * 15)

    def embed_locations(self, lat_lon_deg):
        phase = lat_lon_deg @ self.weights
        return torch.nn.functional.normalize(torch.cat([phase.cos(), phase.sin()], dim=-1), dim=-1)


def area(name):
    given = AREAS[name]
    text, resolution_m = given if isinstance(given, tuple) else (given, 40.0)
    aoi = load_aoi(text)
    return aoi, make_grid(aoi, resolution_m)


def asked(model, grid, number=60, noise=1.0, seed=0):
    """Embeddings of places of the area, with noise."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        found = model.embed_locations(torch.from_numpy(grid.at(rng.integers(0, grid.count, number)))).double()
    extra = torch.from_numpy(rng.normal(size=found.shape))
    extra /= extra.norm(dim=1, keepdim=True)
    return torch.nn.functional.normalize(found + noise * extra, dim=1).float()
