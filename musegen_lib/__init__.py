"""The library of the course on neural music generation. A lesson finds here what all lessons share."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "core.piece": "Piece",
        "core.errors": "MusegenError",
        "corpus.load": "find_piece load_chorales load_folk_tunes",
        "formats.midi.reader": "read_midi write_midi",
        "display.figures": "bars curves piano_roll picture show",
        "display.score": "score",
        "display.sound": "player players render",
        "display.sliders": "states",
        "display.tables": "table",
        "lessons.recording": "record verdict",
        "lessons.studies": "read_study",
    },
)
