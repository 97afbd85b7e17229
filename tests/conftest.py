"""Settings for all tests."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch loads; two busy cores turn 6 s into 41 s

import torch

torch.set_num_threads(1)
