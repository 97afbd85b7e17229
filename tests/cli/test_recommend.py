"""`musegen recommend evaluate` on foreign files: what was understood stands before any table, or one line refuses."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend.benchmark import CONTESTS

ARTISTS = ("周杰伦", "MØ", "Sigur Rós", "Björk", "Mötley Crüe", "Simon, Paul")
RNG = np.random.default_rng(0)
PLAYS = [  # 40 users, 60 items, 18 each: user, item, rating, time
    (user, item, int(RNG.integers(1, 6)), 881250949 + 1000 * user + place)
    for user in range(1, 41)
    for place, item in enumerate(RNG.permutation(60)[:18])
]
MBID = "2009-05-04T23:08:16Z\tmb{1}\tBjörk\tt{1}\tSong {1}"


def lines(form, head=""):
    """The plays, each written in this form; {4} is the name of an artist."""
    rows = [form.format(*row, f"{ARTISTS[row[1] % 6]} {row[1]}") for row in PLAYS]
    return "\n".join([head] * bool(head) + rows) + "\n"


FOREIGN = {  # file: text, order, separator, header, columns
    "i04_semicolon.csv": (
        lines("{0};{1};{2};{3}", "userId;movieId;rating;timestamp"),
        "yes",
        "';'",
        "yes",
        "userId = user, movieId = item, rating = count or rating, timestamp = time",
    ),
    "i05_semicolon_names.csv": (
        lines("{0};{4};{2}", "user;artist;plays"),
        "no",
        "';'",
        "yes",
        "user = user, artist = item, plays = count or rating",
    ),
    "i07_doublecolon.dat": (
        lines("{0}::{1}::{2}::{3}"),
        "yes",
        "'::'",
        "no",
        "1 = user, 2 = item, 3 = count or rating, 4 = time",
    ),
    "i08_space_triples.txt": (
        lines("{0} {1} {2}"),
        "no",
        "space",
        "no",
        "1 = user, 2 = item, 3 = count or rating",
    ),
    "i09_user_item_timestamp.csv": (
        lines("{0},{1},{3}", "user_id,item_id,timestamp"),
        "yes",
        "','",
        "yes",
        "user_id = user, item_id = item, timestamp = time",
    ),
    "i11_item_user.csv": (
        lines("{1},{0},{2}", "track_id,user_id,plays"),
        "no",
        "','",
        "yes",
        "track_id = item, user_id = user, plays = count or rating",
    ),
    "i38_semicolon_names_nohead.csv": (
        lines("{0};{4};{2}"),
        "no",
        "';'",
        "no",
        "1 = user, 2 = item, 3 = count or rating",
    ),
    "i42_artist_user.csv": (lines("s{1},u{0}", "artist,user"), "no", "','", "yes", "artist = item, user = user"),
}


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    """Run the command with one cheap recommender on a file of this text."""
    monkeypatch.setattr("musegen_lib.models.recommend.benchmark.CONTESTS", {"popularity": CONTESTS["popularity"]})

    def run(name, text, *options):
        path = tmp_path / name
        path.write_text(text)
        return CliRunner().invoke(app, ["recommend", "evaluate", "--interactions", str(path), *options])

    return run


@pytest.mark.parametrize("file", FOREIGN)
def test_what_was_understood_is_printed_before_the_table(evaluate, file):
    text, order, separator, header, columns = FOREIGN[file]
    done = evaluate(file, text)
    assert done.exit_code == 0
    first, second, third, *_ = done.stdout.splitlines()
    assert first == f"{file}: 40 users, 60 items, 720 interactions, order {order}"
    assert second == f"  table, separator {separator}, header {header}, columns: {columns}"
    assert "R@20" in third


def test_the_report_for_programs_holds_what_was_understood(evaluate):
    text = lines("{1},{0},x,{3}", "track,listener,mood,when played,").replace("when played,", "played at")
    done = evaluate("plays.csv", text, "--json")
    assert done.exit_code == 0
    assert "40 users, 60 items" in done.stderr
    assert json.loads(done.stdout)["read"] == {
        "users": 40,
        "items": 60,
        "interactions": 720,
        "order": True,
        "form": "table",
        "separator": ",",
        "header": True,
        "columns": {"item": "track", "user": "listener", "time": "played at"},
        "ignored": ["mood"],
        "encoding": "utf-8",
        "first_line": 2,
        "left_out_as_0": 0,
    }


def test_columns_that_are_not_used_and_lines_left_out_are_said(evaluate):
    text = lines("{0};{1};{2};x", "user;item;rating;mood").replace(";1;x", ";0;x")
    done = evaluate("plays.csv", text)
    assert "; not used: mood\n" in done.stdout
    [zeros] = re.findall(r"  (\d+) lines left out, whose count or rating is 0 or less", done.stdout)
    assert int(zeros) == sum(row[2] == 1 for row in PLAYS)
    [advised] = re.findall(r"add --columns (\S+)", done.stdout)
    again = evaluate("plays.csv", text, "--columns", advised)
    assert "720 interactions, order no" in again.stdout
    assert "not used: rating, mood" in again.stdout


def test_encoding_and_what_stands_above_a_header_are_said(evaluate, tmp_path):
    text = "My plays\n" + lines("{0}\t{1}", "user\titem")
    assert "the first interaction is on line 3; the lines above are none" in evaluate("plays.txt", text).stdout
    path = tmp_path / "plays.txt"
    for encoding, said in (("utf-16", ", encoding utf-16\n"), ("latin-1", "encoding cp1252\n  not UTF-8: names")):
        path.write_text(lines("Zoë{0}\t{1}", "user\titem"), encoding=encoding)
        done = CliRunner().invoke(app, ["recommend", "evaluate", "--interactions", str(path)])
        assert said in done.stdout


def test_six_columns_without_a_header_are_chosen_by_the_user(evaluate):
    text = lines("user_{0}\t" + MBID)
    refused = evaluate("i15_lfm1k.tsv", text)
    assert refused.stdout == ""
    assert isinstance(refused.exception, MusegenError)
    wanted = "i15_lfm1k.tsv: 6 columns; wanted user, item, count, time: choose them in order, as in --columns "
    assert str(refused.exception).startswith(wanted)
    done = evaluate("i15_lfm1k.tsv", text, "--columns", "user,time,item,-,-,-")
    assert done.exit_code == 0
    assert "40 users, 60 items, 720 interactions, order yes" in done.stdout
    assert "columns: 1 = user, 2 = time, 3 = item; not used: 4, 5, 6" in done.stdout


def test_many_lines_left_out_are_printed_in_part(evaluate):
    text = lines("{0},{1},{2}") + "x\n" * 40
    done = evaluate("plays.csv", text, "--skip-bad")
    assert done.stdout.count("1 fields, not 3") == 20
    assert "and 20 more lines left out; --json names them" in done.stdout
    assert len(json.loads(evaluate("plays.csv", text, "--skip-bad", "--json").stdout)["skipped_lines"]) == 40


def test_skip_bad_makes_no_table_of_a_form_that_is_not_understood(evaluate):
    done = evaluate("plays.csv", lines("{0},{1},{2}") + "x\n" * 90, "--skip-bad")
    assert done.exit_code != 0
    assert done.stdout == ""
    assert "90 of 810 lines do not fit" in str(done.exception)


def test_too_small_a_file_is_named_after_it_was_understood(evaluate):
    done = evaluate("few.csv", "user,item\nann,x\n")
    assert done.stdout.startswith("few.csv: 1 users, 1 items, 1 interactions, order no\n")
    assert str(done.exception).startswith("few.csv: nothing is left after the 5-core")
