"""Classification over cells from one backbone's features (App. F.3: CLIP and DINOv2 with a classification head)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .frame_classifier import Batch, FrameClassifier
from .s2_cells import Cells


class LinearHead(FrameClassifier):
    """A linear layer from a frozen backbone's features to the cells, as foundation models are usually probed.

    Features are brought to their principal axes first, as in every row, and normalised, so that unit vectors do not make for tiny logits.

    Args:
        cells: what to tell apart.
        feature_dim: D of the features.
    """

    def __init__(self, cells: Cells, feature_dim: int) -> None:
        super().__init__([cells])
        self.projection = nn.Linear(feature_dim, 256)
        self.norm = nn.LayerNorm(256)
        self.head = nn.Linear(256, len(cells))

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of the cells."""
        return F.cross_entropy(self._logits(batch.features), batch.classes[-1])

    def log_probabilities(self, features: Tensor) -> Tensor:
        """(N, D) to (N, C)."""
        return F.log_softmax(self._logits(features), dim=-1)

    def _logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(self.norm(self.projection(features)))
        return logits
