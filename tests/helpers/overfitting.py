"""Overfit a net to one batch, for the tests of every net."""

import torch

from musegen_lib.training.steps import follow


def overfit(net, batch, steps, rate, loss=lambda net, batch: net.loss(batch)[0]):
    """Train on one batch; returns the loss before each step."""
    losses = []

    def noted(_):
        found = loss(net, batch)
        losses.append(found.item())
        return found

    follow(map(noted, range(steps)), net, torch.optim.Adam(net.parameters(), lr=rate))
    return losses
