"""What each column of a table of interactions is: by the names of a header, or by its values.

A column has a role: user, item, count (a rating and a weight too), time, or "-" where it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.interaction_values import MOST, kind_of

ROLES = ("user", "item", "count", "time")
SKIP = "-"
VALUE_ROLES = (("count", ("number",)), ("time", ("time",)))  # role, kinds of values that may have it
WANTED = "wanted user, item, count, time"
USER_NOUNS = (
    "user uid listener member customer reviewer visitor profile person account subject client consumer rater fan "
    "用户 听众 nutzer benutzer hörer",
    "session playlist basket",  # stand for a user where there is none
)
ITEM_NOUNS = (  # the finest first
    "item iid product asin parentasin isbn movie film book anime game recipe beer business video photo news article "
    "podcast episode show venue poi location restaurant hotel joke app url uri 物品 项目 artikel",
    "track song recording tune tra piece title 歌曲 曲目 lied stück titel",
    "album release",
    "artist art band performer composer 歌手 艺术家 künstler",
)
USER_ENDINGS = ("id", "sha1", "mboxsha1", "hash", "key", "uuid", "idx", "no", "nr", "", "name", "names", "s")
ITEM_ENDINGS = ("id", "mbid", "msid", "gid", "key", "uuid", "uri", "asin", "hash", "idx", "index", "no", "nr", "code")
TITLE_ENDINGS = ("", "s", "name", "title")  # two tracks of one name may be two
COUNTS = (
    "count counts plays playcount nplays numplays totalplays playcounts listens listencount listeningcount "
    "listeningevents scrobbles weight weights rating ratings score scores stars star overall bookrating userrating "
    "overallrating reviewscore reviewrating reviewoverall value freq frequency likes quantity qty clicks views label "
    "watchratio times 次数 播放次数 播放量 评分 anzahl bewertung gewicht häufigkeit"
)
TIMES = (
    "timestamp time unixtime unixtimestamp unixreviewtime timestampms timestamps ts uts utc utctime epoch playedat "
    "playedtime listenedat createdat ratedat addedat eventtime starttime datetime date created dateadded ratingtime "
    "ratingtimestamp ratingdate reviewtime reviewdate endtime creationdate "
    "creationtime 时间 时间戳 日期 zeit zeitpunkt zeitstempel datum"
)
SHORTEST_PART = 6  # letters of a known name that may end a longer one, as in lastfm_userid
_UNDERSTOOD = "names such as user_id, item, track_id, artist, movieId, plays, rating, timestamp are"


def _ranks(nouns: Sequence[str], endings: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Each known name with its rank; the lowest rank is chosen."""
    ranks: dict[str, tuple[int, int]] = {}
    for kind, row in enumerate(nouns):
        for end, ending in enumerate(endings):
            for noun in row.split():
                ranks.setdefault(noun + ending, (kind, end))
    return ranks


_TITLE_RANK = len(ITEM_ENDINGS)
KNOWN: dict[str, dict[str, tuple[int, int]]] = {
    "user": _ranks(USER_NOUNS, USER_ENDINGS),
    "item": _ranks(ITEM_NOUNS, (*ITEM_ENDINGS, *TITLE_ENDINGS)),
    "count": {name: (0, place) for place, name in enumerate(COUNTS.split())},
    "time": {name: (0, place) for place, name in enumerate(TIMES.split())},
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
    """A role a column, by a header.

    Args:
        columns: the values below it, a sequence a column, for the example in a message.
    Raises:
        MusegenError: no user or no item is named, or it is open which of two columns is the item.
    """
    found = named(names)
    shown = ", ".join(repr(shorten(name, 20)) for name in names[:8]) + ", ..." * (len(names) > 8)
    missing = [role for role in ("user", "item") if role not in found]
    if missing:
        raise MusegenError(
            f"the first line names {shown}, of which none is known as {' or '.join(missing)}; {_UNDERSTOOD}; "
            f"rename them there or choose: {_example(list(map(kind_of, columns)), found)}"
        )
    fit = rank(names[found["item"]], "item")
    others = [n for n in names if (other := rank(n, "item")) and other[0] > fit[0] and n != names[found["item"]]]
    if fit[0] in (1, 2) and fit[1] >= _TITLE_RANK and others:
        raise MusegenError(
            f"{shorten(names[found['item']], 20)!r} and {shorten(others[0], 20)!r} may both be the item, and titles "
            f"repeat; choose one, for example --columns "
            + ",".join(_by_place(found | {"item": names.index(others[0])}, len(names)))
        )
    return _by_place(found, len(names))


def _by_place(found: dict[str, int], n_columns: int) -> tuple[str, ...]:
    """The role of each column, where `found` has the column of each role."""
    roles = {at: role for role, at in found.items()}
    return tuple(roles.get(at, SKIP) for at in range(n_columns))


def roles_of_values(columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A role a column, by values, for a table without header: user, item, then a count or a time or both.

    Raises:
        MusegenError: the values do not say it; the message shows how to choose.

    >>> roles_of_values([["a", "b"], ["x", "y"], ["881250949", "881250950"]])
    ('user', 'item', 'time')
    """
    roles, kinds = roles_of_kinds(columns), [kind_of(values) for values in columns]
    used = [at for at, kind in enumerate(kinds) if kind != "empty"]
    doubt = _doubt([columns[at] for at in used]) if roles else ""
    if len(used) > 2 and counts_lines(columns[used[0]]):
        doubt, kinds[used[0]] = "the first counts the lines", "empty"
    if roles is None or doubt:
        why = f" ({doubt})" * bool(doubt)
        raise MusegenError(f"{len(columns)} columns; {WANTED}: choose them{why}, {_example(kinds)}")
    return roles


def roles_of_kinds(columns: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """A role a column where what the columns hold has the usual order: user, item, count, time; None elsewhere."""
    kinds = [kind_of(values) for values in columns]
    used = [at for at, kind in enumerate(kinds) if kind != "empty"]
    known = {(): (), ("number",): ("count",), ("time",): ("time",), ("number", "number"): ("count", "time")}
    known |= {("number", "time"): ("count", "time"), ("time", "number"): ("time", "count")}
    more = known.get(tuple(kinds[at] for at in used[2:]))
    if len(used) < 2 or more is None:
        return None
    roles = dict(zip(used, ("user", "item", *more)))
    return tuple(roles.get(at, SKIP) for at in range(len(columns)))


def counts_lines(values: Sequence[str]) -> bool:
    """Whether a column only numbers the lines, as exports of tables like to add."""
    return (
        len(values) > 9
        and _are_digits(values)
        and all(int(after) - int(before) == 1 for before, after in zip(values, values[1:]))
    )


def _doubt(columns: Sequence[Sequence[str]]) -> str:
    """What speaks against user, item, count, time; empty where nothing does."""
    item, n_rows = columns[1], len(columns[1])
    third, fourth = (*columns[2:4], (), ())[:2]
    for values, which in ((columns[0], "first"), (item, "second")):
        if kind_of(values) == "time" and (not _are_digits(values) or len(set(values)) > MOST * n_rows >= 9):
            return f"the {which} holds times"
    if len(columns) == 2 and kind_of(item) == "number" and all(re.search(r"\S[ ,;|]+\S", user) for user in columns[0]):
        return "the first holds several words"
    if len(set(item)) == 1 < n_rows / 9:
        return "the second holds one value"
    if kind_of(third) == "number" and _are_digits(third) and len(set(third)) > MOST * n_rows >= 180:
        return "the third may hold ids"
    if kind_of(third) == kind_of(fourth) == "number" and len(set(fourth)) <= 10 < n_rows / 5:
        return "the fourth holds few values"
    return ""


def _are_digits(values: Sequence[str]) -> bool:
    return all(text.isdecimal() for text in values)


def _example(kinds: Sequence[str], named_so: dict[str, int] | None = None) -> str:
    """What to write for columns of these kinds, of which some have a role by name; user and item are always in it."""
    found = dict(named_so or {})
    for role, fits in (("user", ("text", "number")), ("item", ("text", "number")), *VALUE_ROLES):
        free = [at for at, kind in enumerate(kinds) if kind in fits and at not in found.values()]
        if role not in found and free:
            found[role] = free[0]
    for role in ("user", "item"):
        if role not in found:  # what was a count or a time by name, or is empty, must serve
            at = next(at for at in range(len(kinds)) if at not in (found.get("user"), found.get("item")))
            found = {other: place for other, place in found.items() if place != at} | {role: at}
    return f"for example --columns {','.join(_by_place(found, len(kinds)))}"


def is_header(first: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether a line names columns: no number or time stands in it, and it has known names or stands above numbers.

    Args:
        columns: the values below it, a sequence a column.

    >>> is_header(["User", "Item"], [["7"], ["x"]]), is_header(["ann", "song 2"], [["bob"], ["x"]])
    (True, False)
    """
    if any(_is_value(text) for text in first):
        return False
    found = named(first)
    over_values = any(text and kind_of(values) in ("number", "time") for text, values in zip(first, columns))
    return over_values or "user" in found or "item" in found


def names_table(fields: Sequence[str]) -> bool:
    """Whether a line names a user and an item, and no number or time stands in it.

    >>> names_table(["artist", "user", "plays"]), names_table(["user", "item", "5"])
    (True, False)
    """
    return not any(_is_value(text) for text in fields) and {"user", "item"} <= named(fields).keys()


def _is_value(text: str) -> bool:
    """Whether a text is a number or a time."""
    return kind_of([text]) in ("number", "time")
