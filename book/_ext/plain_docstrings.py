"""Let Sphinx show docstrings that are written for people, not for reStructuredText.

Words in single backticks are code, bars and stars mean themselves, and tables, formulas and other indented lines stand
as they are.
"""

import re

SECTION = re.compile(r"(Args|Returns|Raises|Yields|Attributes|Examples?|Notes?):$")
CODE = re.compile(r"(`+)(.+?)\1")
MARKUP = re.compile(r"([\\*|]|(?<=\w)_(?!\w))")


def plain_words(line):
    """Write one line of prose so that reStructuredText reads no markup into it but code.

    >>> plain_words("`x` maps |a| to h_")
    '``x`` maps \\\\|a\\\\| to h\\\\_'
    """
    parts, at = [], 0
    for code in CODE.finditer(line):
        parts += [MARKUP.sub(r"\\\1", line[at : code.start()]), f"``{code[2].strip()}``"]
        at = code.end()
    return "".join([*parts, MARKUP.sub(r"\\\1", line[at:])])


def indent_of(line):
    """Number of spaces before the first letter."""
    return len(line) - len(line.lstrip())


def is_set(block):
    """True for lines whose layout matters: a table, or lines of unlike indentation that are no section."""
    uneven = len({indent_of(line) for line in block}) > 1
    return block[0].lstrip().startswith("|") or (uneven and not SECTION.match(block[0].strip()))


def written(block, inside):
    """One paragraph as reStructuredText."""
    if block[0].lstrip().startswith(">>>"):
        return block
    if not inside and is_set(block):
        return [".. code-block:: text", "", *("    " + line for line in block)]
    return [plain_words(line) for line in block]


def process(app, what, name, obj, options, lines):
    """Rewrite a docstring in place, paragraph by paragraph, before napoleon reads its sections."""
    found, block, inside = [], [], False
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
            continue
        if block:
            inside = bool(SECTION.match(block[0].strip())) or (inside and indent_of(block[0]) > 0)
            found += [*written(block, inside), ""]
        block = []
    lines[:] = found


def setup(app):
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", process, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
