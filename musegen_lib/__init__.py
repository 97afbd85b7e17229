"""musegen_lib: the small tested library behind the course. Start with `Piece` and `corpus`."""

from musegen_lib.errors import MusegenError
from musegen_lib.piece import Piece

__all__ = ["MusegenError", "Piece"]
