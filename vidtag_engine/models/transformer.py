"""Pre-norm Transformer layers and frame positions, shared by TempGeo and GeoRefiner.

Written out instead of taken from ``torch.nn.Transformer*``: those switch to another code path in evaluation mode (nested tensors) and
give NaN for a sequence that is all padding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_BASE = 10_000.0  # longest wavelength of the sinusoids, as in "Attention is all you need"


class Attention(nn.Module):
    """Multi-head attention of ``queries`` (B,T,D) over ``context`` (B,S,D), full, masked by padding alone."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}")
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, context: Tensor, keep: Tensor | None) -> Tensor:
        """Attend; ``keep`` (B,S) bool says which context entries are real (None: all)."""
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.query, queries), (self.key, context), (self.value, context))
        )
        mask = None if keep is None else keep[:, None, None, :]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0)
        return self.out(mixed.transpose(1, 2).flatten(-2))


class FeedForward(nn.Module):
    """Linear, GELU, linear, with dropout between."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.out = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) to (..., D)."""
        return self.out(self.drop(F.gelu(self.inner(x))))


class EncoderLayer(nn.Module):
    """Pre-norm: x + attention(norm(x)), then x + ffn(norm(x)); dropout on both branches."""

    def __init__(self, width: int, heads: int, ffn: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.ffn = Attention(width, heads, dropout), FeedForward(width, ffn, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """(B,T,D) to (B,T,D)."""
        normed = self.attention_norm(x)
        x = x + self.drop(self.attention(normed, normed, keep))
        return x + self.drop(self.ffn(self.ffn_norm(x)))


class DecoderLayer(nn.Module):
    """Pre-norm: self-attention, cross-attention over ``memory``, ffn; no causal mask (paper 3.4)."""

    def __init__(self, width: int, heads: int, ffn: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.cross_norm, self.ffn_norm = (nn.LayerNorm(width) for _ in range(3))
        self.attention, self.cross = (Attention(width, heads, dropout) for _ in range(2))
        self.ffn = FeedForward(width, ffn, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, keep: Tensor | None) -> Tensor:
        """(B,T,D) queries and (B,T,D) memory to (B,T,D)."""
        normed = self.attention_norm(x)
        x = x + self.drop(self.attention(normed, normed, keep))
        x = x + self.drop(self.cross(self.cross_norm(x), memory, keep))
        return x + self.drop(self.ffn(self.ffn_norm(x)))


def start_as_identity(layer: EncoderLayer | DecoderLayer) -> None:
    """Set the last linear of every residual branch to zero, so that an untrained layer changes nothing.

    Inputs here have norm 1; branches with torch's default start have a norm of about √width and would drown them.
    """
    branches: list[nn.Linear] = [layer.attention.out, layer.ffn.out]
    if isinstance(layer, DecoderLayer):
        branches.append(layer.cross.out)
    for linear in branches:
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)


def sinusoids(index: Tensor, width: int) -> Tensor:
    """Sinusoidal positions (..., width) of frame numbers ``index`` (...); each has norm √(width/2)."""
    half = torch.arange(0, width, 2, device=index.device, dtype=torch.float32)
    angle = index[..., None].float() * torch.exp(half * (-math.log(_BASE) / width))
    return torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1).flatten(-2)[..., :width]


class Positions(nn.Module):
    """Temporal positions p_t of paper eq. ẑ_t = z_t + p_t.

    Args:
        width: of the sequence.
        kind: "sinusoidal" (times one learned scalar) or "learned" (a table, over which a video of more than ``length`` frames is stretched).
        norm: norm of every position at the start. z has norm 1 and a plain sinusoid √(width/2): unscaled it drowns the picture.
        length: rows of the table of "learned".
    """

    def __init__(self, width: int, kind: str, norm: float, length: int) -> None:
        super().__init__()
        self.width, self.length = width, length if kind == "learned" else None
        if kind == "learned":
            self.table = nn.Parameter(torch.randn(length, width) * (norm / math.sqrt(width)))
        else:
            self.scale = nn.Parameter(torch.tensor(norm / math.sqrt(width / 2)))

    def forward(self, index: Tensor, first: int = 0, count: int | None = None) -> Tensor:
        """Positions (..., width) of the frames ``index`` (...) of a window that begins at frame ``first`` of its video of ``count`` frames.

        They follow the frame's number in the video, so that a frame has the same position in every window that holds it. A learned table has a row for each number;
        where the video is longer than the table, its first and last frames get the first and last rows, and the others what lies between two rows.
        """
        if self.length is None:
            return self.scale * sinusoids(index + first, self.width)
        # Without a count the video ends with its last frame here, each sequence by itself: what is padded must not tell.
        frames = index.amax(dim=-1, keepdim=True) + first + 1 if count is None else torch.as_tensor(count, device=index.device)
        step = ((self.length - 1) / (frames - 1).clamp(min=1)).clamp(max=1.0)
        place = (index + first) * step
        below = place.floor().long().clamp(max=self.length - 1)
        between = (place - below)[..., None].to(self.table.dtype)
        return self.table[below] * (1 - between) + self.table[(below + 1).clamp(max=self.length - 1)] * between


def masked(x: Tensor, padding: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor]:
    """What attention needs so that padding cannot change a result.

    Args:
        x: (B,T,D); entries under padding may hold anything, NaN too.
        padding: (B,T) bool, True = padding; None = no padding.

    Returns:
        x with padding set to zero; ``keep`` (B,T) bool for attention (all True in a sequence of nothing but padding, where a softmax over
        nothing would be NaN), None if there is no padding; the number (B,T) of each frame among its sequence's real frames.
    """
    if padding is None or not bool(padding.any()):
        return x, None, torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
    keep = ~padding
    index = (keep.long().cumsum(dim=1) - 1).clamp(min=0)
    return x.masked_fill(padding[..., None], 0.0), keep | padding.all(dim=1, keepdim=True), index
