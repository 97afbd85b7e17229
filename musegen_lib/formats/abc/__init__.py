"""ABC: text to `Piece` and back."""
