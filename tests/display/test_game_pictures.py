"""The pictures of lesson 2 are drawn, and their words name what can be seen."""

import numpy as np

from musegen_lib.display import game_pictures as pictures


def test_each_picture_is_a_png_with_words():
    x = np.linspace(-8, 8, 161)
    bell = lambda centre: np.exp(-((x - centre) ** 2) / 2)  # noqa: E731
    drawn = [
        pictures.density_picture(x, bell(0), bell(4), 0.6334, 4.0),
        pictures.cloud_picture(np.zeros((5, 2)), np.eye(2), "Five points", 0.15),
        pictures.path_picture(np.array([[1.0, 0.0], [0.0, 0.5]]), "Two steps", 1.3),
        pictures.bar_cells_picture({"soprano": np.full(8, 72), "bass": np.full(8, 48)}, "Two long notes in two voices"),
    ]
    assert all(picture.png.startswith(b"\x89PNG") for picture in drawn)
    assert [picture.alt for picture in drawn] == [
        "Two bell curves whose centres are 4 apart, and the best answer. "
        "Jensen-Shannon 0.633 of at most 0.693, Wasserstein 4.00.",
        "Five points: a cloud of points beside 2 small circles that stand on one large circle.",
        "Two steps: the path starts at a dot one unit from the cross at zero and ends 0.50 away.",
        "Two long notes in two voices",
    ]
