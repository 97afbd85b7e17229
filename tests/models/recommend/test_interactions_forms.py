"""Forms of interactions files as real data sets and programs write them: each is read as the same plays, or refused."""

import csv
import io
from datetime import UTC, datetime

import numpy as np
import pytest

from musegen_lib.models.recommend.interactions import read_interactions

ARTISTS = (
    "Björk",
    "MØ",
    "Sigur Rós",
    "周杰伦",
    "Simon, Paul",
    "AC/DC",
    'The "Who"',
    "Earth; Wind",
    "007",
    "10cc",
    "a|b",
)


def plays(n_users=12, n_items=11):
    """User, item, count and time (seconds since 1970) of every play, by user; ids with leading zeros."""
    rng = np.random.default_rng(0)
    return [
        (f"0{user}", f"{item:03}", int(rng.integers(1, 6)), 881250949 + 1000 * user + int(rng.integers(999)))
        for user in range(n_users)
        for item in rng.permutation(n_items)[: 5 + user % 3]
    ]


PLAYS = plays()
C, T = "count", "time"
DOTS = "%d.%m.%Y %H:%M:%S"


def write(rows, mark=",", head="", end="\n", quote=csv.QUOTE_MINIMAL):
    """A table of text."""
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator=end, quoting=quote).writerows(rows)
    return head + (end if head else "") + out.getvalue()


def pick(*places, rows=PLAYS):
    """Columns of the plays by place; a text stands for itself in each line."""
    return [tuple(place if isinstance(place, str) else row[place] for place in places) for row in rows]


def named(rows=PLAYS):
    """The plays with names of artists for items."""
    return [(user, ARTISTS[int(item)], count, time) for user, item, count, time in rows]


def iso(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    """A time as text."""
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def dated(form):
    """The plays with such dates for times."""
    return [(user, item, count, iso(time, form)) for user, item, count, time in PLAYS]


READ = {  # file: what is in it, what has been kept besides user and item
    "u.data": (write(PLAYS, "\t"), C + T),
    "ratings.dat": ("".join("::".join(map(str, row)) + "\n" for row in PLAYS), C + T),
    "ratings.csv": (write(PLAYS, head="userId,movieId,rating,timestamp"), C + T),
    "half_stars.csv": (write([(u, i, c - 0.5, t) for u, i, c, t in PLAYS], head="userId,movieId,rating,timestamp"), T),
    "user_artists.dat": (write(pick(0, 1, 2), "\t", "userID\tartistID\tweight", "\r\n"), C),
    "user_taggedartists-timestamps.dat": (write(pick(0, 1, "9", 3), "\t", "userID\tartistID\ttagID\ttimestamp"), T),
    "train_triplets.txt": (write(pick(0, 1, 2), "\t"), C),
    "amazon_reviews_2018.csv": (write(pick(1, 0, 2, 3), head="item,user,rating,timestamp"), C + T),
    "amazon_reviews_2023.csv": (write(pick(0, 1, 2, 3), head="user_id,parent_asin,rating,timestamp"), C + T),
    "kaggle_reviews.csv": (
        write(pick(1, "a, b", 0, 2, 3), head="product/productId,product/title,review/userId,review/score,review/time"),
        C + T,
    ),
    "BX-Book-Ratings.csv": (write(pick(0, 1, 2), ";", '"User-ID";"ISBN";"Book-Rating"', quote=csv.QUOTE_ALL), C),
    "ml-1m.inter": (
        write(PLAYS, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float"),
        C + T,
    ),
    "implicit.inter": (write(pick(0, 1), "\t", "user_id:token\titem_id:token"), ""),
    "listenbrainz.csv": (
        write(pick(0, 1, "Song", "Band", 3), head="user_name,recording_msid,track_name,artist_name,listened_at"),
        T,
    ),
    "lfm1k_with_header.tsv": (
        write(pick(0, 3, "m", "Band", 1, "Song"), "\t", "userid\ttimestamp\tartid\tartname\ttraid\ttraname"),
        T,
    ),
    "lfm1b.txt": (write(pick(0, "1", "2", 1, 3), "\t", "user_id\tartist_id\talbum_id\ttrack_id\ttimestamp"), T),
    "nowplaying.csv": (
        write(dated("%Y-%m-%d %H:%M:%S"), head="user_id,track_id,plays,created_at", quote=csv.QUOTE_ALL),
        C + T,
    ),
    "thisismyjam.tsv": (write(pick("j", 0, 1, 3), "\t", "jam_id\tuser_id\ttrack_id\tcreation_date"), T),
    "goodreads.csv": (write(pick(0, 1, "1", 2, "0"), head="user_id,book_id,is_read,rating,is_reviewed"), C),
    "yoochoose.csv": (
        write([(u, iso(t, "%Y-%m-%dT%H:%M:%S.000Z"), i) for u, i, _, t in PLAYS], head="Session ID,Timestamp,Item ID"),
        T,
    ),
    "pandas.csv": (write([(n, *row) for n, row in enumerate(PLAYS)], head=",user,item,rating,timestamp"), C + T),
    "floats.csv": (write([(u, i, float(c), float(t)) for u, i, c, t in PLAYS], head="user,item,rating,ts"), C + T),
    "movielens_merged.csv": (
        write(pick(0, 1, 2, 3, "Toy, The (1995)", "Drama|War"), head="userId,movieId,rating,timestamp,title,genres"),
        C + T,
    ),
    "excel_german.csv": (
        write([(u, i, f"{c},0", iso(t, DOTS)) for u, i, c, t in PLAYS], ";", "Nutzer;Titel;Bewertung;Datum", "\r\n"),
        C + T,
    ),
    "excel_sep.csv": (write(PLAYS, ";", "sep=;\r\nuser;item;plays;time", "\r\n"), C + T),
    "excel_utf16.txt": (write(PLAYS, "\t", "user\titem\tcount\ttime", "\r\n").encode("utf-16"), C + T),
    "utf16_be.txt": (b"\xfe\xff" + write(PLAYS, "\t").encode("utf-16-be"), C + T),
    "mark.csv": (write(PLAYS, head="\ufeffuser,item,rating,timestamp"), C + T),
    "mark_and_quotes.csv": (write(PLAYS, head='\ufeff"user","item","rating","timestamp"', quote=csv.QUOTE_ALL), C + T),
    "macintosh.txt": (write(PLAYS, "\t", "user\titem\tcount\ttime", "\r"), C + T),
    "trailing.csv": (write(pick(0, 1, 2, ""), ";"), C),
    "trailing_with_header.csv": (write(pick(0, 1, 2, ""), ";", "user;item;count"), C),
    "empty_rows_at_the_end.csv": (write(PLAYS, ";", "user;item;count;time") + ";;;\r\n" * 9, C + T),
    "blank_lines.csv": (write(PLAYS, end="\n\n"), C + T),
    "spaces_after_commas.csv": (write(PLAYS, head="user, item, rating, timestamp").replace(",", ", "), C + T),
    "bars.txt": (write(PLAYS, "|"), C + T),
    "bars_with_header.txt": (write(pick(1, 0), "|", "track|listener"), ""),
    "spaces.txt": (write(pick(0, 1, 2), " "), C),
    "spaces_with_times.txt": (write(PLAYS, " "), C + T),
    "spaces_with_header.txt": (write(PLAYS, " ", "user_id item_id rating timestamp"), C + T),
    "pairs.txt": (write(pick(0, 1), " "), ""),
    "aligned.txt": ("".join(f"{u:>6} {i:>8}   {c}\n" for u, i, c, _ in PLAYS), C),
    "konect.txt": (write(PLAYS, " ", "% bip weighted\n% 73 12 11"), C + T),
    "hash_header.tsv": (write(PLAYS, "\t", "# user\titem\tcount\ttime"), C + T),
    "title_above.csv": (write(PLAYS, head="My listening\nuser,item,count,time"), C + T),
    "third_is_time.csv": (write(pick(0, 1, 3)), T),
    "time_before_rating.csv": (write(pick(0, 1, 3, 2)), C + T),
    "milliseconds.csv": (write([(u, i, t * 1000) for u, i, _, t in PLAYS]), T + "*1000"),
    "iso.csv": (write([(u, i, iso(t)) for u, i, _, t in PLAYS]), T),
    "iso_utc.tsv": (write([(u, i, c, f"{iso(t, '%Y-%m-%d %H:%M:%S')} UTC") for u, i, c, t in PLAYS], "\t"), C + T),
    "iso_slashes.tsv": (write([(u, i, iso(t, "%Y/%m/%d %H:%M:%S")) for u, i, c, t in PLAYS], "\t"), T),
    "chinese.csv": (write(PLAYS, head="用户,歌曲,播放次数,时间"), C + T),
    "capitals.csv": (write(pick(2, 1, 0), head="Play Count,Track ID,User Name"), C),
    "prefixed.csv": (write(pick(0, 1, 2), head="lastfm_username,spotify_track_id,total_playcount"), C),
}


@pytest.fixture
def read(tmp_path):
    """Read these bytes from a file."""

    def of(data, name="ears.txt", **options):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_interactions(path, **options)

    return of


def rows_of(found):
    """User and item of each interaction by name."""
    return [(found.users[u], found.items[i]) for u, i in zip(found.user, found.item)]


@pytest.mark.parametrize("file", READ)
def test_each_form_gives_the_same_plays(read, file):
    data, kept = READ[file]
    found = read(data, file)
    assert rows_of(found) == [row[:2] for row in PLAYS]
    if C in kept:
        assert found.weight.tolist() == [row[2] for row in PLAYS]
    elif file != "half_stars.csv":
        assert set(found.weight) == {1.0}
    assert (found.time is not None) == (T in kept)
    if T in kept:
        assert found.time.tolist() == [row[3] * (1000 if "*" in kept else 1) for row in PLAYS]


def test_names_of_artists_stay_whole_whatever_stands_in_them(read):
    rows = [row[:3] for row in named()]
    for mark in "\t;|,":
        for head in ("", mark.join(("user", "artist", "plays"))):
            found = read(write(rows, mark, head))
            assert rows_of(found) == [row[:2] for row in rows]
    plain = [row for row in rows if ":" not in row[1]]
    assert rows_of(read("".join("::".join(map(str, row)) + "\n" for row in plain))) == [row[:2] for row in plain]
    unquoted = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    assert rows_of(read(unquoted)) == [row[:2] for row in rows]


def test_a_comma_in_every_rating_is_a_decimal_comma_and_no_separator(read):
    for mark in ";\t|":
        found = read(write([(f"u{u}", f"s{i}", f"{c},5") for u, i, c, _ in PLAYS], mark))
        assert found.weight.tolist() == [row[2] + 0.5 for row in PLAYS]


def test_a_name_may_hold_quotation_marks_spaces_of_every_kind_and_new_letters(read):
    for name in ('"Weird Al" Yankovic', "坂本\u3000龍一", "A\u00a0B", "\u200ex", "\U0001fae9", "5' 7\""):
        found = read(f"ann\t{name}\t3\nbob\ty\t2\nann\ty\t1\n")
        assert found.items == (name, "y")
    assert read('ann;"a ""b""";3\nbob;"y";2\n').items == ('a "b"', "y")


def test_names_may_begin_as_comments_do(read):
    assert read("#ann\tx\n#ann\ty\nbob\tx\n").users == ("#ann", "bob")


def test_other_letters_than_utf8_are_kept_apart_and_said(read):
    rows = [row[:3] for row in named() if row[1] != "周杰伦"]
    found = read(write(rows, ";", "User-ID;Artist;Plays").encode("latin-1"))
    assert rows_of(found) == [row[:2] for row in rows]
    assert found.understood.encoding == "cp1252"


@pytest.mark.parametrize(("name", "form"), [("Last played", None), ("Gehört am", "%d.%m.%Y %H:%M:%S"), ("when", None)])
def test_the_one_column_of_times_without_a_known_name_is_the_time(read, name, form):
    rows = [(u, i, c, iso(t, form) if form else t) for u, i, c, t in PLAYS]
    found = read(write(rows, ";", f"user;track_id;plays;{name}"))
    assert found.understood.roles == ("user", "item", "count", "time")
    assert found.time.tolist() == [row[3] for row in PLAYS]
    twice = read(write([(*row, row[3]) for row in rows], ";", f"user;track_id;plays;{name};finished"))
    assert twice.understood.roles == ("user", "item", "count", "-", "-")
    both = read(write([(*row, row[3]) for row in rows], ";", f"user;track_id;plays;{name};timestamp"))
    assert both.understood.roles == ("user", "item", "count", "-", "time")


def test_a_date_of_birth_or_of_release_is_no_time_of_a_meeting(read):
    for key in (0, 1):
        rows = [(u, i, f"19{80 + int((u, i)[key])}-05-04") for u, i, *_ in PLAYS]
        assert read(write(rows, head="user,track_id,since")).time is None


def test_a_rating_of_0_or_less_is_no_meeting_unless_the_column_is_left_out(read):
    data = "user;book;rating\nann;x;0\nann;y;7\nbob;x;-1\n"
    found = read(data)
    assert (rows_of(found), found.understood.n_zero) == ([("ann", "y")], 2)
    assert len(read(data, columns=("user", "item", "-"))) == 3


def test_lists_may_come_in_parts_and_their_places_go_on(read):
    found = read("ann a b c\nbob d\nann e f\n", columns=("user", "items"))
    assert found.time.tolist() == [0, 1, 2, 0, 3, 4]
    assert read("user items\nann a b\nbob c d e\ncy f g\n").users == ("ann", "bob", "cy")
    assert read("ann,a x,b,c\nbob,d\n", columns=("user", "items")).items == ("a x", "b", "c", "d")
