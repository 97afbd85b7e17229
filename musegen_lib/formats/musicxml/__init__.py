"""MusicXML: files to `Piece`, and `Piece` to music21 and its files."""
