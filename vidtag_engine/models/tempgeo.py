"""TempGeo (paper 3.2): frames of a video look at each other before they are matched with places."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from .sizes import LayerCount, Norm, Share, Size
from .transformer import EncoderLayer, Positions, masked, start_as_identity


class TempGeoConfig(BaseModel):
    """Sizes of TempGeo.

    Args:
        width: of the frame features z (1792 in the paper).
        layers: Transformer encoder layers; 2 in the paper, 0 = TempGeo is off (identity).
        heads, ffn: attention heads and hidden width (not stated in the paper; its 56.3 M parameters rule out 4·width).
        dropout: in attention, in the feed-forward part and on both residual branches.
        positions: "sinusoidal", or "learned": a table, which longer videos are stretched over.
        position_norm: norm of every position at the start, beside features of norm 1.
        learned_length: rows of the table of learned positions.
        identity_start: an untrained layer changes nothing (the residual branches start at zero).
        final_norm: a LayerNorm after the last layer, as is usual with pre-norm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Size = 1792
    layers: LayerCount = 2
    heads: Size = 8
    ffn: Size = 2048
    dropout: Share = 0.1
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    position_norm: Norm = 0.1
    learned_length: Size = 64
    identity_start: bool = True
    final_norm: bool = True


class TempGeo(nn.Module):
    """Temporal positions, then pre-norm Transformer encoder layers with full self-attention over a video's frames."""

    def __init__(self, config: TempGeoConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(EncoderLayer(config.width, config.heads, config.ffn, config.dropout) for _ in range(config.layers))
        if config.layers:
            self.positions = Positions(config.width, config.positions, config.position_norm, config.learned_length)
            self.norm = nn.LayerNorm(config.width) if config.final_norm else nn.Identity()
            self.drop = nn.Dropout(config.dropout)
        if config.identity_start:
            self.layers.apply(lambda module: start_as_identity(module) if isinstance(module, EncoderLayer) else None)

    def forward(self, z: Tensor, padding: Tensor | None = None, first: int = 0, count: int | None = None) -> Tensor:
        """Align frames with each other.

        Args:
            z: (B,T,D) unit-normalised frame features.
            padding: (B,T) bool, True = padding; never changes what real frames give.
            first, count: number of the first frame in its video and how many there are in all, where these are a window of it.

        Returns:
            z* (B,T,D); zero under padding.
        """
        x, keep, index = masked(z, padding)
        if self.config.layers:
            x = self.drop(x + self.positions(index, first, count))
            for layer in self.layers:
                x = layer(x, keep)
            x = self.norm(x)
        return x if padding is None else x.masked_fill(padding[..., None], 0.0)
