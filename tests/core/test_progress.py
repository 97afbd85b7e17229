import time

from musegen_lib.core import progress


def test_only_where_it_is_shown_a_long_loop_shows_its_progress(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    assert list(progress.progress(range(3), "silent")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    with progress.shown():
        assert [time.sleep(0.01) or n for n in progress.progress(range(3), "rewriting")] == [0, 1, 2]
    assert "rewriting" in capsys.readouterr().err
