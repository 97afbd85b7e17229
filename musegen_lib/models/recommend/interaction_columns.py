"""What each column of a table of interactions is: by the names of a header, or by its values.

A column has a role: user, item, count (a rating and a weight too), time, or "-" where it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.interaction_text import MOST, kind_of

ROLES = ("user", "item", "count", "time")
SKIP = "-"
USERS = "user uid listener member customer reviewer person account 用户 听众 nutzer benutzer hörer", "session playlist"
ITEMS = (  # the finest first
    "item iid product asin parentasin isbn movie film book 物品 artikel",
    "track song recording tune tra piece title 歌曲 曲目 lied stück titel",
    "album release",
    "artist art band performer composer 歌手 艺术家 künstler",
)
COUNTS = (
    "count counts plays playcount nplays listens listencount scrobbles weight rating ratings score stars overall times "
    "bookrating userrating reviewscore value freq frequency 次数 播放次数 评分 anzahl bewertung gewicht häufigkeit"
)
TIMES = (
    "timestamp time unixtime unixreviewtime ts uts utc epoch playedat listenedat createdat ratedat addedat datetime "
    "date created dateadded 时间 时间戳 日期 zeit zeitpunkt zeitstempel datum"
)
IDS = ("id", "mbid", "msid", "gid", "key", "uuid", "uri", "sha1", "hash", "idx", "index", "code")  # endings of names
TITLES = ("", "s", "name", "names", "title")  # two tracks of one name may be two
SHORTEST_PART = 6  # letters of a known name that may end a longer one, as in lastfm_userid
CHOOSE = "in order, as in --columns user,time,-,item, with - for one to leave out"


def _ranks(nouns: Sequence[str], endings: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Each known name with its rank; the lowest rank is chosen."""
    kinds = {noun: kind for kind, row in enumerate(nouns) for noun in row.split()}
    return {noun + ending: (kind, end) for noun, kind in kinds.items() for end, ending in enumerate(endings)}


KNOWN = {
    "user": _ranks(USERS, (*IDS, *TITLES)),
    "item": _ranks(ITEMS, (*IDS, *TITLES)),
    "count": _ranks(COUNTS.split(), [""]),
    "time": _ranks(TIMES.split(), [""]),
}


def plain(name: str) -> str:
    """A name of a column without signs, case and the type that RecBole writes behind a colon.

    >>> plain("User-ID"), plain("item_id:token"), plain("review/score")
    ('userid', 'itemid', 'reviewscore')
    """
    return re.sub(r"[\W_]+", "", name.split(":")[0].lower())


def rank(name: str, role: str) -> tuple[int, int, bool] | None:
    """How well a column's name fits a role, least best: kind, ending, whether a part of it fits; None: not at all."""
    known, word = KNOWN[role], plain(name)
    words = {word, plain(re.split(r"[/.]", name)[-1])}  # product/productId
    whole = [(*known[word], False) for word in words if word in known]
    parts = [known[part] for part in known if len(part) >= SHORTEST_PART and word.endswith(part)]
    return min(whole + [(*part, True) for part in parts], default=None)


def named(names: Sequence[str]) -> dict[str, int]:
    """The column of each role that a header names.

    >>> named(["track_id", "user", "genre", "plays"])
    {'user': 1, 'item': 0, 'count': 3}
    """
    found: dict[str, int] = {}
    for role in ROLES:
        ranked = [(fit, at) for at, name in enumerate(names) if (fit := rank(name, role)) and at not in found.values()]
        if ranked:
            found[role] = min(ranked)[1]
    return found


def roles_of_names(names: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A role a column, by a header; where it names no time, the one other column that holds times is the time.

    MusegenError where no user or no item is named, or titles of music and their artists may both be the item.
    """
    found = named(names)
    if not {"user", "item"} <= found.keys():
        shown = ", ".join(repr(shorten(name, 20)) for name in names[:8]) + ", ..." * (len(names) > 8)
        missing = " or ".join(role for role in ("user", "item") if role not in found)
        raise MusegenError(
            f"the first line names {shown}, of which none is known as {missing}; use names such as user_id, track_id, "
            f"artist, movieId, plays, rating, timestamp, or choose {CHOOSE}"
        )
    kind, end, _ = rank(names[found["item"]], "item")
    others = [name for name in names if (fit := rank(name, "item")) and fit[0] > kind]
    if kind in (1, 2) and end >= len(IDS) and others:
        both = f"{shorten(names[found['item']], 20)!r} and {shorten(others[0], 20)!r}"
        raise MusegenError(f"{both} may both be the item, and titles repeat; choose {CHOOSE}")
    if "time" not in found:
        found |= _unnamed_time(names, columns, (columns[found["user"]], columns[found["item"]]))
    return _by_place(found, len(names))


def _unnamed_time(names: Sequence[str], columns: Sequence[Sequence[str]], keys: Sequence[Sequence[str]]) -> dict:
    """The column that holds times of meetings, where no name is known for it and there is just one.

    A date of birth or of release is the same wherever its user or item, of which `keys` are the values, comes back.
    """
    met = [(key, len(set(key))) for key in keys]
    timed = [
        at
        for at, values in enumerate(columns)
        if kind_of(values) == "time"
        and not any(rank(names[at], role) for role in ROLES)
        and all(n_names == len(key) or len(set(zip(key, values))) > n_names for key, n_names in met)
    ]
    return {"time": timed[0]} if len(timed) == 1 else {}


def _by_place(found: dict[str, int], n_columns: int) -> tuple[str, ...]:
    """The role of each column, where `found` has the column of each role."""
    roles = {at: role for role, at in found.items()}
    return tuple(roles.get(at, SKIP) for at in range(n_columns))


def usual_roles(columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A role a column by values, for a table without header: user, item, then a count or a time or both.

    Where it is open, there are no roles: times stand first, numbers may be ids, or fields hold another separator.

    >>> usual_roles([["a", "b"], ["x", "y"], ["881250949", "881250950"]])
    ('user', 'item', 'time')
    """
    kinds = [kind_of(values) for values in columns]
    used = [at for at, kind in enumerate(kinds) if kind != "empty"]
    more = [{"number": "count", "time": "time"}.get(kinds[at], "") for at in used[2:]]
    before = [kinds[at] for at in used[:2]]
    if len(used) < 2 or "time" in before or "" in more or len(set(more)) < len(more):
        return ()
    if len(used) == 2 and all(re.search(r"\S[ ,;|]+\S", user) for user in columns[used[0]]):  # 7 35 4,5
        return ()
    roles = dict(zip(("user", "item", *more), used))
    counts = columns[roles["count"]] if "count" in roles else ()
    may_be_ids = len(set(counts)) > MOST * len(counts) >= 180 and all(text.isdecimal() for text in counts)
    return () if may_be_ids else _by_place(roles, len(columns))


def names_table(fields: Sequence[str]) -> bool:
    """Whether a line names a user and an item, and no number or time stands in it.

    >>> names_table(["artist", "user", "plays"]), names_table(["user", "item", "5"])
    (True, False)
    """
    return not _has_values(fields) and {"user", "item"} <= named(fields).keys()


def is_header(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether a line names columns: no number or time stands in it, and it has known names or stands above numbers.

    >>> is_header(["User", "Item"], [["7"], ["x"]]), is_header(["ann", "song 2"], [["bob"], ["x"]])
    (True, False)
    """
    over_values = any(text and kind_of(values) in ("number", "time") for text, values in zip(first, columns))
    return not _has_values(first) and (over_values or bool({"user", "item"} & named(first).keys()))


def _has_values(fields: Sequence[str]) -> bool:
    """Whether a number or a time is among them."""
    return any(kind_of([text]) in ("number", "time") for text in fields)
