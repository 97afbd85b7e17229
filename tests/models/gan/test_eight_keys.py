"""The toy game of lesson 2: where its points lie, and the shapes of its networks."""

import torch

from musegen_lib.models.gan import eight_keys as toy


def test_real_points_lie_near_keys_and_ring_points_on_the_circle():
    torch.manual_seed(0)
    far = torch.cdist(toy.key_points(1000), toy.KEYS).amin(dim=1)
    assert (far < 0.15).float().mean() > 0.97  # three standard deviations
    assert torch.allclose(toy.ring_points(50).norm(dim=1), torch.ones(50))


def test_neighbouring_keys_are_as_far_apart_as_the_lesson_says():
    assert round(torch.dist(toy.KEYS[0], toy.KEYS[1]).item(), 2) == 0.77


def test_shapes():
    assert toy.ToyGenerator().draw(5).shape == (5, 2)
    assert toy.toy_discriminator()(toy.key_points(5)).shape == (5,)
