"""Files of music in and out: MIDI, ABC and MusicXML, each to `Piece` and back.

| format   | file to piece and report      | piece to file                     | lost on the way out                  |
|----------|-------------------------------|-----------------------------------|--------------------------------------|
| MIDI     | read_midi, parse_midi (bytes) | write_midi, piece_to_midi (bytes) | nothing                              |
| MusicXML | musicxml_to_piece (path)      | piece_to_musicxml (bytes)         | velocity style source licence is_cut |
| ABC      | read_abc, then tune_to_piece  | piece_to_abc (text)               | the same                             |

A reader takes the coarsest grid that holds every note exactly, unless it is told one, and its report counts what was
lost, moved or repaired.
Whatever a file holds, a reader gives music or raises `MusegenError` in one line that names the file and the place.
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "abc.reader": "Tune parse_abc piece_to_abc read_abc tune_to_piece",
        "midi.reader": "MidiReport parse_midi piece_to_midi read_midi write_midi",
        "musicxml.reader": "musicxml_to_piece piece_to_music21 piece_to_musicxml read_musicxml",
    },
)
