"""PlaNet (Weyand, Kostrikov and Philbin, ECCV 2016): where a photo was taken, as one softmax over S2 cells."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .frame_classifier import Batch, FrameClassifier, Trunk
from .s2_cells import Cells


class PlaNet(FrameClassifier):
    """A trunk and one softmax over the cells of one level (13 in VidTAG's App. F.2, where PlaNet's are adaptive).

    The original fine-tunes a whole Inception network; here, as in every row, the backbones are frozen and the trunk over their stored features is trained.

    Args:
        cells: what to tell apart.
        feature_dim: D of the features.
        dropout: of the trunk.
    """

    def __init__(self, cells: Cells, feature_dim: int, dropout: float = 0.1) -> None:
        super().__init__([cells])
        self.trunk = Trunk(feature_dim, dropout=dropout)
        self.head = nn.Linear(256, len(cells))

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of the cells."""
        return F.cross_entropy(self.head(self.trunk(batch.features)), batch.classes[-1])

    def log_probabilities(self, features: Tensor) -> Tensor:
        """(N, D) to (N, C)."""
        return F.log_softmax(self.head(self.trunk(features)), dim=-1)
