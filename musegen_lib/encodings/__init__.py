"""The nine forms that music takes in this course, each with the functions that lead there and back.

| form          | module         | array                              | lost (velocity always)  | read by            |
|---------------|----------------|------------------------------------|-------------------------|--------------------|
| tokens        | arrays         | (T,) int64: HOLD, REST, pitch      | rest at the end         | windows            |
| events        | arrays         | (N, 2) int64: pitch, duration      | rest at the end         | melody events      |
| grid          | arrays         | (T, 4) int64: +struck -held 0 rest | rest at the end         | chorale steps      |
| roll          | arrays         | two (T, 128) bool: sounds, struck  | voices                  | bars, seed phrases |
| bars          | arrays         | (bars, 784) bool: step by pitch    | strikes, voices, pickup | nets of one bar    |
| chorale steps | chorale_steps  | (T, 4) int64: HOLD, REST, pitch    | rest at end, rare modes | chorale nets, GANs |
| windows       | melody_windows | (32,) int64: tokens of two bars    | all beyond, pickup, key | melody VAE         |
| lines         | melody_lines   | four (N,) int64, rhythm in classes | exact times             | style transfer     |
| melody events | melody_events  | two (N,) int64: pitch, duration    | rest at end, rare modes | melody RNN         |

Pairs are named x_to_y and y_to_x: `piece_to_tokens` and `tokens_to_piece`, and so on for events, grid, roll, bars,
steps (of a chorale), line and melody_events; a window has `piece_to_window` and `window_to_piece`, many of one tune
`tune_to_windows` and `windows_to_piece`; a whole tune as a chain of windows in one key, `tune_chain.piece_to_chain` and
`chain_to_piece`. A line comes back with the rhythm of its piece: `line_to_piece(line, piece)`.
The way back takes what an array cannot hold (title, tempo, metre) as keyword arguments. Music of several notes at once
becomes one melody by `skyline`.
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "arrays": "FIRST_PITCH HOLD bars_to_piece grid_to_piece piece_to_bars piece_to_grid piece_to_roll "
        "piece_to_tokens roll_to_piece events_to_piece piece_to_events skyline tokens_to_piece",
        "chorale_steps": "END LOW N_TOKENS piece_to_steps steps_to_piece tokens_to_grid",
        "melody_events": "END_ID is_playable melody_events_to_piece piece_to_melody_events",
        "melody_lines": "line_to_piece piece_to_line",
        "melody_windows": "cut_windows held_out_windows make_playable piece_to_window window_to_piece windows_to_piece",
    },
)
