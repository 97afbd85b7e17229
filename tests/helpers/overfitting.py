"""Overfit a net to one batch, for the tests of every net."""

import torch


def overfit(net, batch, steps, rate):
    """Train on one batch; returns the loss before each step."""
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=rate), []
    for _ in range(steps):
        loss, _ = net.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
