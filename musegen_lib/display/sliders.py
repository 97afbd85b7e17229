"""A slider without a script: states worked out beforehand, of which radio buttons show one at a time.

It works in JupyterLab and in the static book. Where a viewer drops the style, all states stand below one another, each
under its name.
"""

from __future__ import annotations

import base64
import html
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from musegen_lib.display.figures import Picture

STYLE = """
#ID{border:1px solid #999;border-radius:6px;background:#fff;color:#222;color-scheme:light;padding:.4em .8em .6em;
 margin:.5em 0;max-width:820px;min-width:0}
#ID>legend{padding:.15em .5em;background:#fff;border-radius:4px;color:#222;font-weight:600;font-size:1em;float:none;
 width:auto}
#ID>input{position:absolute;opacity:0;width:1px;height:1px}
#ID>label{display:inline-block;min-width:2.6em;padding:.25em .7em;margin:.1em .2em .5em 0;border:1px solid #666;
 border-radius:1em;text-align:center;color:#222;background:#f2f2f2;cursor:pointer}
#ID>input:checked+label{background:#0072b2;border-color:#0072b2;color:#fff;font-weight:600}
#ID>input:focus-visible+label{outline:3px solid #d55e00;outline-offset:2px}
#ID img,#ID svg{max-width:100%;height:auto;background:#fff;padding:0}
@media screen{#ID>div{display:none}#ID>div>.name{display:none}SHOWN{display:block}}
"""


@dataclass(frozen=True)
class States:
    """Named states, one in sight; shows itself in a notebook."""

    title: str
    names: tuple[str, ...]
    texts: tuple[str, ...]  # what a reader gets who does not see it, one a state
    panels: tuple[str, ...]  # HTML, one a state
    start: int

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"[{name}] {text}" for name, text in zip(self.names, self.texts, strict=True))])

    def _repr_html_(self) -> str:
        own = f"states-{zlib.crc32(repr(self).encode()):08x}"  # of the words, which are the same from run to run
        shown = ",".join(f"#{own}-{i}:checked~.state-{i}" for i in range(len(self.names)))
        style = STYLE.replace("SHOWN", shown).replace("#ID", f"#{own}")
        title, names = html.escape(self.title), [html.escape(name) for name in self.names]
        buttons = [
            f'<input type="radio" name="{own}" id="{own}-{i}"{" checked" * (i == self.start)}>'
            f'<label for="{own}-{i}">{name}</label>'
            for i, name in enumerate(names)
        ]
        panels = [
            f'<div class="state-{i}" role="group" aria-label="{html.escape(self.names[i], quote=True)}">'
            f'<p class="name"><b>{names[i]}</b></p>{panel}</div>'
            for i, panel in enumerate(self.panels)
        ]
        inner = "\n".join([*buttons, *panels])
        return f'<style>{style}</style><fieldset id="{own}"><legend>{title}</legend>\n{inner}</fieldset>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def states(contents: Mapping[object, object], title: str, start: object = None) -> States:
    """Return a slider over states.

    Args:
        contents: from the name of a state, such as a temperature, to what it shows: a `picture`, a `player`, a `score`,
            text in HTML, or a list of these.
        title: what the slider changes.
        start: the name of the state that is shown first; None takes the first.
    Raises:
        ValueError: fewer than two states, a start that is none of them, or a content that cannot be shown.

    >>> states({"cold": "<p>A note repeats.</p>", "hot": "<p>It leaps.</p>"}, "Temperature")
    Temperature
    [cold] <p>A note repeats.</p>
    [hot] <p>It leaps.</p>
    """
    if len(contents) < 2:
        raise ValueError(f"a slider needs two states at least, not {len(contents)}")
    if start is not None and start not in contents:
        raise ValueError(f"start {start!r} is none of the states {', '.join(map(str, contents))}")
    shown = [content if isinstance(content, (list, tuple)) else [content] for content in contents.values()]
    texts = tuple(" ".join(map(str, parts)) for parts in shown)
    panels = tuple("".join(map(_html, parts)) for parts in shown)
    place = 0 if start is None else list(contents).index(start)
    return States(title, tuple(map(str, contents)), texts, panels, place)


def _html(content: object) -> str:
    """One part of a state as HTML."""
    if isinstance(content, str):
        return content
    if isinstance(content, Picture):
        source = base64.b64encode(content.png).decode()
        return f'<img alt="{html.escape(content.alt, quote=True)}" src="data:image/png;base64,{source}">'
    bundle = content._repr_mimebundle_() if hasattr(content, "_repr_mimebundle_") else {}
    if isinstance(bundle, tuple) or not {"text/html", "image/svg+xml"} & set(bundle):
        raise ValueError(f"{content!r} cannot be a state; give a picture, a player, a score or text in HTML")
    return bundle.get("text/html") or bundle["image/svg+xml"]
