"""Individual Scene Networks (Müller-Budack, Pustu-Iren and Ewerth, ECCV 2018): a classifier of its own for each kind of scene."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .frame_classifier import SCENES, Batch, FrameClassifier, Trunk, soft_cross_entropy
from .s2_cells import Cells

# Places2's 16 scenes in its three groups: indoor, nature, and outdoors made by people.
GROUPS: tuple[tuple[int, ...], ...] = (tuple(range(6)), tuple(range(6, 10)), tuple(range(10, 16)))


class ISNs(FrameClassifier):
    """A trunk, a scene head, and for every group of scenes its own hidden layer and softmax over the cells.

    In training a frame goes through the network of its labelled scene; when asked, through that of the scene that the scene head sees, since no label comes
    with a query. The original trains three whole ResNets, and sees scenes with a network trained on Places2.

    Args:
        cells: what to tell apart.
        feature_dim: D of the features.
        groups: which of the 16 scenes go together.
        dropout: of the trunk.
    """

    def __init__(self, cells: Cells, feature_dim: int, *, groups: Sequence[Sequence[int]] = GROUPS, dropout: float = 0.1) -> None:
        super().__init__([cells])
        self.trunk = Trunk(feature_dim, dropout=dropout)
        self.scene_head = nn.Linear(256, len(groups))
        self.networks = nn.ModuleList(
            nn.Sequential(nn.Linear(256, 256), nn.Mish(), nn.Dropout(dropout), nn.Linear(256, len(cells))) for _ in groups
        )
        member = torch.zeros(SCENES, len(groups))
        for number, group in enumerate(groups):
            member[list(group), number] = 1.0
        self.register_buffer("member", member, persistent=False)
        self.member: Tensor

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of the cells by each frame's own network, and of the scene groups."""
        hidden = self.trunk(batch.features)
        wanted = batch.scene @ self.member
        chosen = wanted.argmax(dim=-1)
        cells = F.cross_entropy(self._routed(hidden, chosen), batch.classes[-1])
        return cells + soft_cross_entropy(self.scene_head(hidden), wanted)

    def log_probabilities(self, features: Tensor) -> Tensor:
        """(N, D) to (N, C), each frame by the network of the scene that is seen in it."""
        hidden = self.trunk(features)
        return F.log_softmax(self._routed(hidden, self.scene_head(hidden).argmax(dim=-1)), dim=-1)

    def _routed(self, hidden: Tensor, chosen: Tensor) -> Tensor:
        logits = hidden.new_empty(len(hidden), len(self.finest))
        for number, network in enumerate(self.networks):
            rows = torch.nonzero(chosen == number).flatten()
            if len(rows):
                logits = logits.index_copy(0, rows, network(hidden[rows]))
        return logits
