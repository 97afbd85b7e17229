"""What everything stands on: the piece, its keys and metres, where data lie, and the one error of the library.

Nothing here imports another package of the library, torch or a drawing library.
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "errors": "MusegenError shorten",
        "keys": "PITCH_CLASSES TONIC_PITCH_CLASS metre_to_beats spell_key",
        "paths": "committed data_dir replacing",
        "note_table": "NOTE_DTYPE clip_overlaps",
        "piano_roll_svg": "piece_to_svg",
        "piece": "DRUMS Piece pitched_notes",
    },
)
