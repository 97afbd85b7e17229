"""Overfit a net to one batch, for the tests of every net."""

import torch

from musegen_lib.training.steps import follow


def overfit(net, batch, steps, rate):
    """Train on one batch; returns the loss before each step."""
    losses = []

    def loss(_):
        found, _ = net.loss(batch)
        losses.append(found.item())
        return found

    follow(map(loss, range(steps)), net, torch.optim.Adam(net.parameters(), lr=rate))
    return losses
