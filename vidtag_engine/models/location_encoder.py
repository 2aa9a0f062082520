"""Location encoder (paper 3.3, GeoCLIP): latitude and longitude to an embedding, by random Fourier features at several scales."""

from __future__ import annotations

import itertools

import torch
from pydantic import BaseModel, ConfigDict, field_validator
from torch import Tensor, nn

from ..types import InputError
from .equal_earth import UNIT_M, equal_earth
from .sizes import Size

# σ of the frequencies, coarse to fine. Typical wavelength on the ground: 17,244 km / σ.
SIGMA_PRESETS: dict[str, tuple[float, ...]] = {
    "globe": (1.0, 8.0, 256.0),  # the paper's best (B.3): finest wavelength 67 km
    "city": (2.0**4, 2.0**8, 2.0**11),  # 8.4 km
    "site": (2.0**8, 2.0**11, 2.0**14),  # 1.05 km; on 417 m it halves the paper's error
}
GEOCLIP_SIGMA: tuple[float, ...] = (1.0, 16.0, 256.0)
# Details that training separates are about a hundredth of the finest wavelength (measured: 10 m at 1.05 km).
_DETAIL_PER_WAVELENGTH = 1 / 100
# An area is worth telling apart in at least this many steps, even where the grid is coarser.
_STEPS_ACROSS = 40


def sigma_for_extent(extent_m: float, resolution_m: float) -> str:
    """Name of the σ preset for an area: fine enough for its detail, coarse enough to span it.

    Args:
        extent_m: the longer side of the area.
        resolution_m: distance of grid points.

    Returns:
        "site", "city" or "globe".

    Raises:
        InputError: where a length is not a positive number.
    """
    for name, value in (("extent", extent_m), ("resolution", resolution_m)):
        if not 0 < value < float("inf"):
            raise InputError(f"The {name} of the area is {value} m: give a positive length in metres.")
    detail_m = min(resolution_m, extent_m / _STEPS_ACROSS)
    coarser_detail_m = {"site": UNIT_M / SIGMA_PRESETS["city"][-1], "city": UNIT_M / SIGMA_PRESETS["globe"][-1]}
    for name in ("site", "city"):
        needed = detail_m < coarser_detail_m[name] * _DETAIL_PER_WAVELENGTH  # the next coarser preset would be too coarse
        if needed and extent_m <= UNIT_M / SIGMA_PRESETS[name][0]:
            return name
    return "globe"


class LocationEncoderConfig(BaseModel):
    """Sizes of the location encoder.

    Args:
        sigma: one capsule each; standard deviation of its frequencies, in cycles a unit of the plane (17,244 km).
        frequencies: random frequencies a capsule; each gives a cosine and a sine.
        hidden: widths of a capsule's hidden layers, ReLU after each.
        embedding_dim: E.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma: tuple[float, ...] = SIGMA_PRESETS["globe"]
    frequencies: Size = 256
    hidden: tuple[Size, ...] = (1024, 1024, 1024)
    embedding_dim: Size = 512

    @field_validator("sigma")
    @classmethod
    def _positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or any(not 0 < sigma < 2.0**30 for sigma in value):
            raise ValueError("sigma needs one or more positive numbers")
        return value


class Capsule(nn.Module):
    """One scale: fixed random frequencies B ~ N(0, σ²), then an MLP."""

    frequencies: Tensor

    def __init__(self, sigma: float, config: LocationEncoderConfig) -> None:
        super().__init__()
        empty = torch.empty(config.frequencies, 2)
        # On the meta device, where a checkpoint's are laid in afterwards, arithmetic would import PyTorch's compiler: more than a second.
        self.register_buffer("frequencies", empty if empty.is_meta else torch.randn(config.frequencies, 2) * sigma)
        widths = (2 * config.frequencies, *config.hidden)
        layers = [part for a, b in itertools.pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU(inplace=True))]
        self.mlp = nn.Sequential(*layers, nn.Linear(widths[-1], config.embedding_dim))

    def forward(self, plane: Tensor) -> Tensor:
        """(..., 2) float64 Equal Earth coordinates to (..., E) in the weights' own type.

        The phase B·v is taken in float64 and reduced to one turn before it becomes float32: at σ = 2¹⁴ a metre is 10⁻³ of a turn, and
        float32 could not hold it beside thousands of whole turns.
        """
        phase = plane @ self.frequencies.to(plane.device, torch.float64).T
        angle = phase.sub_(phase.floor()).mul_(2.0 * torch.pi).to(self.frequencies.device, next(self.mlp.parameters()).dtype)
        return self.mlp(torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1))


class LocationEncoder(nn.Module):
    """Sum of the capsules. Normalise the sum, not its parts: the capsules' means cancel in it."""

    def __init__(self, config: LocationEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.capsules = nn.ModuleList(Capsule(sigma, config) for sigma in config.sigma)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, lat_lon_deg: Tensor) -> Tensor:
        """(..., 2) latitude, longitude in degrees (float64) to (..., E) in the weights' own type, not normalised."""
        device = self.device
        # Metal has no float64.
        plane = equal_earth(lat_lon_deg.to("cpu" if device.type == "mps" else device))
        total: Tensor = self.capsules[0](plane)
        for capsule in self.capsules[1:]:
            total = total + capsule(plane)
        return total
