"""From logits to one drawn token: temperature, top-k, top-p, a mask of what is allowed; draws that pass gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


def sample(
    logits: Float[Tensor, "B V"],
    generator: torch.Generator,
    mask: Bool[Tensor, "B V"] | None = None,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Int[Tensor, "B"]:
    """Draw one token a row.

    Args:
        mask: True where a token is allowed; it is applied first, so at least one per row must be True.
        temperature: divides the logits; 0 takes the most likely allowed token.
        top_k: keep the k most likely tokens; 0 keeps all.
        top_p: keep the smallest set of likely tokens that together have this probability (nucleus).
    Source: nucleus sampling from Holtzman et al. 2020, arXiv:1904.09751.

    >>> sample(torch.tensor([[0.0, 5.0, 9.0]]), torch.Generator(), torch.tensor([[True, True, False]]), 0.0)
    tensor([1])
    """
    if temperature < 0 or top_k < 0 or not 0 < top_p <= 1:
        raise ValueError(f"temperature {temperature} and top_k {top_k} must be at least 0, top_p {top_p} in (0, 1]")
    if mask is not None:
        if not mask.any(dim=-1).all():
            raise ValueError("a row of the mask allows no token at all")
        finite = torch.finfo(logits.dtype)
        logits = logits.clamp(finite.min, finite.max)  # an allowed token can be drawn even where its logit is -inf
        logits = logits.masked_fill(~mask, -torch.inf)
    if temperature == 0:
        return logits.argmax(dim=-1)
    logits = logits - logits.amax(dim=-1, keepdim=True)  # (B, V) the division cannot overflow
    probs = torch.softmax(logits / temperature, dim=-1)  # (B, V)
    ranked, order = probs.sort(dim=-1, descending=True, stable=True)  # (B, V)
    before = ranked.cumsum(dim=-1) - ranked  # probability of all likelier tokens
    ranked = ranked.masked_fill(before >= top_p, 0.0)
    if top_k:
        ranked[:, top_k:] = 0.0
    drawn = torch.multinomial(ranked, 1, generator=generator)  # (B, 1)
    return order.gather(1, drawn).squeeze(1)


def gumbel_noise(shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
    """Standard Gumbel noise: added to logits, it makes the largest sum a draw from their softmax."""
    return -torch.empty(shape).exponential_(generator=generator).clamp_min(1e-20).log()


def straight_through(logits: Float[Tensor, "... K"]) -> Float[Tensor, "... K"]:
    """One-hot of the likeliest on the way forward, the gradient of the softmax on the way back.

    >>> straight_through(torch.tensor([0.1, 2.0, 0.3])).tolist()
    [0.0, 1.0, 0.0]
    """
    soft = torch.softmax(logits, dim=-1)
    hard = F.one_hot(soft.argmax(dim=-1), logits.shape[-1]).to(soft)
    return hard + (soft - soft.detach())  # adds exactly 0
