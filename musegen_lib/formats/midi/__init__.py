"""MIDI: bytes to `Piece` and back, with a report of what was repaired."""
