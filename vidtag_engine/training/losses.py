"""The two losses (paper Sec. 3.5), and the distance-softened targets that stand beside them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def contrastive_loss(frames: Tensor, locations: Tensor, logit_scale: Tensor, targets: Tensor | None = None) -> Tensor:
    """Phase I: cross-entropy between frame-location similarities and the targets (eq. 1).

    Args:
        frames: (N, E) unit-normalised frame embeddings.
        locations: (M, E) unit-normalised GPS embeddings; the first N belong to the frames, the rest are negatives only.
        logit_scale: scalar factor on the cosines.
        targets: (N, M) rows that sum to 1; None is the identity of the paper.

    Returns:
        Scalar mean over frames.
    """
    logits = logit_scale * frames @ locations.T
    if targets is None:
        return F.cross_entropy(logits, torch.arange(len(frames), device=frames.device))
    return -(targets * F.log_softmax(logits, dim=-1)).sum(dim=-1).mean()


def softened_targets(distance_m: Tensor, softening_m: float) -> Tensor:
    """Targets that fall off with distance, exp(-d / softening_m), each row scaled to sum to 1 (after PIGEON).

    The identity makes a frame's neighbours, whose embeddings are all but equal, its negatives; these do not.

    Args:
        distance_m: (N, M) metres from each frame's true place to each column's place.
        softening_m: length of the fall-off.
    """
    return torch.softmax(-distance_m / softening_m, dim=-1)


def weighted_hinge_loss(refined: Tensor, truth: Tensor, *, alpha: float = 10.0, beta: float = 1.0, targets: str = "identity") -> Tensor:
    """Phase II: frame-wise and video-wise alignment of refined with true GPS embeddings (eqs. 2-5).

    Args:
        refined: (B, T, E) unit-normalised embeddings from GeoRefiner.
        truth: (B, T, E) unit-normalised embeddings of the true coordinates.
        alpha: weight of the negative pairs (off the diagonal).
        beta: weight of the positive pairs (the diagonal).
        targets: ``"identity"`` as in the paper, or ``"similarity"``: what the true embeddings' own products are, so that
            neighbours are not pushed apart.

    Returns:
        Scalar.
    """
    batch, length, _ = refined.shape
    # A sequence's normalised embeddings side by side, scaled so that products are mean cosines.
    per_video = [x.flatten(1) / length**0.5 for x in (refined, truth)]
    per_frame = [x.reshape(batch * length, -1) for x in (refined, truth)]
    return sum(  # type: ignore[return-value]
        _alignment(g_refined, g_truth, alpha, beta, targets) for g_refined, g_truth in (per_frame, per_video)
    )


def _alignment(refined: Tensor, truth: Tensor, alpha: float, beta: float, targets: str) -> Tensor:
    """Weighted means of the squared differences above, below and on the diagonal (eqs. 3 and 4)."""
    n = len(refined)
    wanted = torch.eye(n, device=refined.device) if targets == "identity" else truth @ truth.T
    difference = (refined @ truth.T - wanted) ** 2
    diagonal = difference.diagonal().mean()
    if n == 1:
        return beta * diagonal
    above = torch.triu(difference, diagonal=1).sum()
    below = torch.tril(difference, diagonal=-1).sum()
    return alpha * (above + below) / (n * (n - 1) / 2) + beta * diagonal
