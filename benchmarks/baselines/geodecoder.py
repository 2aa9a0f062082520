"""GeoDecoder (Clark, Kerrigan, Kulkarni, Cepeda and Shah, CVPR 2023): queries for each hierarchy and scene look at an image's features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .frame_classifier import Batch, FrameClassifier, soft_cross_entropy
from .s2_cells import Cells, parents


class GeoDecoder(FrameClassifier):
    """Learned queries, one for each S2 level and scene, cross-attend to the features; each level has its classifier, and levels are combined.

    A small version: the stored features of a frame, cut into tokens, stand for the image's patches; two decoder layers instead of eight. A level's answer is the
    mean over its scenes' queries, weighted by the scene's probability. A cell's final probability is its own times its parents' (the original's hierarchical
    evaluation).

    Args:
        levels: partitions, coarse to fine (App. F.2: S2 levels 8, 10, 11, 13).
        feature_dim: D of the features.
        scenes: which of the 16 scenes get queries; others count as none of these.
        tokens: that the features are cut into; divides D.
        layers, heads, width, ffn, dropout: of the decoder.
    """

    def __init__(
        self,
        levels: Sequence[Cells],
        feature_dim: int,
        *,
        scenes: Sequence[int] = tuple(range(16)),
        tokens: int = 8,
        layers: int = 2,
        heads: int = 4,
        width: int = 128,
        ffn: int = 256,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(levels)
        self.scenes, self.tokens = tuple(scenes), tokens
        self.projection = nn.Linear(feature_dim, 256)
        self.whole = nn.Linear(256, width)
        self.pieces = nn.Linear(feature_dim // tokens, width)
        self.queries = nn.Parameter(torch.randn(len(levels) * len(self.scenes), width) * 0.5)
        layer = nn.TransformerDecoderLayer(width, heads, ffn, dropout, activation="gelu", batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers, nn.LayerNorm(width))
        self.heads = nn.ModuleList(nn.Linear(width, len(cells)) for cells in levels)
        self.scene_head = nn.Linear(width, 1)
        for number, cells in enumerate(levels[:-1]):
            self.register_buffer(f"parent{number}", torch.from_numpy(parents(levels[-1], cells)), persistent=False)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy at every level, scenes weighted by their labels, and of the scenes."""
        states, scene_logits = self._decode(batch.features)
        wanted = batch.scene[:, self.scenes]
        known = wanted.sum(dim=-1, keepdim=True)
        shares = torch.where(known > 0, wanted / known.clamp(min=1e-6), torch.full_like(wanted, 1 / len(self.scenes)))
        levels = self._levels(states, shares)
        cells = torch.stack([F.nll_loss(level, classes) for level, classes in zip(levels, batch.classes, strict=True)]).sum()
        return cells + soft_cross_entropy(scene_logits, wanted)

    def log_probabilities(self, features: Tensor) -> Tensor:
        """(N, D) to (N, C): the finest level's, times what the coarser levels give the cell's parents, normalised."""
        states, scene_logits = self._decode(features)
        levels = self._levels(states, scene_logits.softmax(dim=-1))
        total = levels[-1]
        for number, level in enumerate(levels[:-1]):
            total = total + level[:, self.get_buffer(f"parent{number}")]
        return F.log_softmax(total, dim=-1)

    def _decode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Queries' states (N, levels, scenes, W) and scene logits (N, scenes)."""
        pieces = self.pieces(features.unflatten(-1, (self.tokens, -1)) * self.tokens**0.5)
        memory = torch.cat([self.whole(self.projection(features))[:, None], pieces], dim=1)
        states = self.decoder(self.queries.expand(len(features), -1, -1), memory)
        states = states.unflatten(1, (len(self.levels), len(self.scenes)))
        return states, self.scene_head(states).squeeze(-1).mean(dim=1)

    def _levels(self, states: Tensor, shares: Tensor) -> list[Tensor]:
        """Log-probabilities (N, C) of every level, its scenes' states weighted by their shares (N, scenes)."""
        mixed = (states * shares[:, None, :, None]).sum(dim=2)
        return [F.log_softmax(head(mixed[:, number]), dim=-1) for number, head in enumerate(self.heads)]
