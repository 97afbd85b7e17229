"""The copy task: read a string, wait, give it back. Shows in notebooks/04_rnn.ipynb how far a cell can remember.

Axes: n strings, T steps, D model width.
Source: the task is that of Hochreiter and Schmidhuber 1997 in the form of Arjovsky, Shah and Bengio 2016,
arXiv:1511.06464; our strings are shorter, and the net reads its own target one step late.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from data.studies.plain_lm import CELLS

N_SYMBOLS, STRING = 8, 4
BLANK, GO = N_SYMBOLS, N_SYMBOLS + 1


def copy_task(n: int, distance: int, generator: torch.Generator) -> tuple[Int[Tensor, "n T"], Int[Tensor, "n 4"]]:
    """Strings of 4 symbols, then `distance` blanks, then GO: the inputs, and the string to give back.

    The net answers at GO and at the three steps after it. Each symbol is wanted 4 + distance steps after it was read.
    """
    string = torch.randint(N_SYMBOLS, (n, STRING), generator=generator)
    gap = torch.full((n, distance), BLANK)
    return torch.cat([string, gap, torch.full((n, 1), GO), string[:, :-1]], dim=1), string


class CopyNet(nn.Module):
    """A cell and one layer of logits."""

    def __init__(self, cell: str, hidden_dim: int = 64):
        super().__init__()
        self.embed = nn.Embedding(N_SYMBOLS + 2, 16)
        self.cell = CELLS[cell](16, hidden_dim, batch_first=True)
        self.head = nn.Linear(hidden_dim, N_SYMBOLS)

    def forward(self, inputs: Int[Tensor, "n T"]) -> Float[Tensor, "n 4 symbols"]:
        """Logits of the last four steps."""
        return self.head(self.cell(self.embed(inputs))[0][:, -STRING:])
