"""musegen_lib: the small tested library behind the course. Start with `Piece` and `corpus`."""

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece

__all__ = ["MusegenError", "Piece"]
