"""GeoRefiner (paper 3.4): a denoiser of GPS embeddings that looks at the aligned frames."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .sizes import LayerCount, Norm, Share, Size
from .transformer import DecoderLayer, EncoderLayer, Positions, masked, start_as_identity


class GeoRefinerConfig(BaseModel):
    """Sizes of GeoRefiner. The paper can be read in two ways; ``context`` chooses.

    Args:
        embedding_dim: of GPS embeddings, in and out.
        context: "frames": the encoder takes the frame embeddings that leave the frame MLP (the authors' figure); "tempgeo": it takes z*
            (the text of 3.4), GPS queries are projected up to that width and back.
        context_dim: width of what the encoder takes.
        width: of the Transformer; equals ``embedding_dim`` for "frames", TempGeo's width for "tempgeo".
        encoder_layers, decoder_layers: 1 and 2 in the paper.
        heads, ffn, dropout: as in TempGeo.
        position_norm: norm of the positions at the start. They tell the decoder which frame belongs to which GPS embedding, and are taken
            away again at the end, so they do not blur the answer.
        identity_start: untrained, GPS embeddings come out as they went in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding_dim: Size = 512
    context: Literal["frames", "tempgeo"] = "frames"
    context_dim: Size = 512
    width: Size = 512
    encoder_layers: LayerCount = 1
    decoder_layers: LayerCount = 2
    heads: Size = 8
    ffn: Size = 2048
    dropout: Share = 0.1
    position_norm: Norm = 0.5
    identity_start: bool = True


class GeoRefiner(nn.Module):
    """Encoder over the frames, decoder over GPS embeddings with cross-attention; no causal mask."""

    def __init__(self, config: GeoRefinerConfig) -> None:
        super().__init__()
        self.config = config
        sizes = (config.width, config.heads, config.ffn, config.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*sizes) for _ in range(config.decoder_layers))
        self.memory_norm = nn.LayerNorm(config.width)
        self.positions = Positions(config.width, "sinusoidal", config.position_norm, 0)
        self.context_in = _linear_or_identity(config.context_dim, config.width)
        self.gps_in = _linear_or_identity(config.embedding_dim, config.width)
        self.gps_out = _linear_or_identity(config.width, config.embedding_dim)
        if config.identity_start:
            for layer in (*self.encoder, *self.decoder):
                start_as_identity(layer)
            if isinstance(self.gps_in, nn.Linear) and isinstance(self.gps_out, nn.Linear):
                self.gps_out.weight.data.copy_(self.gps_in.weight.data.T)  # up by an isometry, and back by the same

    def forward(self, gps: Tensor, context: Tensor, padding: Tensor | None = None, first: int = 0) -> Tensor:
        """Refine GPS embeddings.

        Args:
            gps: (B,T,E) unit-normalised embeddings of the Phase I picks.
            context: (B,T,C) frame embeddings, or z* with ``context="tempgeo"``.
            padding: (B,T) bool, True = padding; never changes what real frames give.
            first: number of the first frame in its video, where these are a window of it.

        Returns:
            (B,T,E) unit-normalised; zero under padding.
        """
        memory, keep, index = masked(context, padding)
        queries = gps if padding is None else gps.masked_fill(padding[..., None], 0.0)
        positions = self.positions(index, first)
        memory = self.context_in(memory) + positions
        for layer in self.encoder:
            memory = layer(memory, keep)
        memory = self.memory_norm(memory)
        x = self.gps_in(queries) + positions
        for layer in self.decoder:
            x = layer(x, memory, keep)
        refined = F.normalize(self.gps_out(x - positions), dim=-1)
        return refined if padding is None else refined.masked_fill(padding[..., None], 0.0)


def _linear_or_identity(inputs: int, outputs: int) -> nn.Module:
    """A semi-orthogonal projection without offset at the start, or nothing where the widths agree."""
    if inputs == outputs:
        return nn.Identity()
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
