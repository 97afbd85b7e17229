"""What a lesson rebuilt for the learner must keep to, read from the file: size, minutes, numbers, wording.

Each check takes a notebook and returns its faults, one line each. tests/repo/test_lessons.py says which lessons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import notebook_checks
from nbformat import NotebookNode

MAX_CELLS, MAX_CODE_LINES, MAX_WORDS, MAX_MINUTES, MAX_COLUMNS = 60, 200, 2500, 60, 88
WORDS_A_MINUTE, SECONDS_A_LINE, SECONDS_A_PICTURE = 130, 8, 30
MAX_SHORT_SENTENCES, SHORT = 0.15, 7
MAX_COLONS = 12  # and semicolons, in 1,000 words
WORDING = Path(__file__).parents[1] / "repo" / "wording.tsv"

MARKED = re.compile(r"(?P<number>[-−]?(?:\d[\d,]*)?\.?\d+)(?P<percent> ?%)?<!-- =(?P<name>[a-z][a-z0-9_]*) -->")
DECIMAL = re.compile(r"(?<![\w.])(?:\d[\d,]*)?\.\d+(?![\w.])")
CODES = re.compile(
    r"\b[CE](?:9|1\d)\b|\bS\d+\b|\b(?:claim|row|erratum) [CE]\d+\b|\([CE]\d+\)|^#+.*\b[CE]\d+:", re.M
)  # C4 is a note
SLIDER = re.compile(r'<fieldset id="states-.*?</fieldset>', re.S)
DRAWN = re.compile(r"<(?:svg|img)\b")
CODE_BLOCK = re.compile(r"```.*?```", re.S)
LINK_TARGET = re.compile(r"(?<=\])\([^)\s]*\)")  # where a link leads
COMMENT = re.compile(r"<!--.*?-->", re.S)
NOT_PROSE = (
    CODE_BLOCK,
    re.compile(r"\$\$.*?\$\$", re.S),
    re.compile(r"\$[^$\n]+\$"),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"</?(?:details|summary|b|br)[^>]*>"),
    LINK_TARGET,
    re.compile(r"^\s*\|.*$", re.M),  # rows of a table
    re.compile(r"^#+ .*$", re.M),
)
NOT_WORDS = (CODE_BLOCK, COMMENT, LINK_TARGET, re.compile(r"</?\w[^>]*>"))


def is_in_sight(cell: NotebookNode) -> bool:
    """A learner reads it on the way, exercises too: it is neither proof nor a solution."""
    return not {"proof", "solution"} & notebook_checks.tags(cell)


def text_cells(notebook: NotebookNode) -> Iterator[str]:
    """Yield the source of each text cell up to the references."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if re.match(r"## References", cell.source):
                return
            yield cell.source


def prose(source: str) -> str:
    """The text of a cell without code, formulas, tables, headings and addresses."""
    for pattern in NOT_PROSE:
        source = pattern.sub(" ", source)
    return source


def n_words(notebook: NotebookNode) -> int:
    """Words of all text up to the references: exercises, headings, tables and formulas too, code and comments not."""
    return sum(len(words_of(text)) for text in text_cells(notebook))


def words_of(source: str) -> list[str]:
    """The words of a text cell, as a reader counts them; one without a letter or digit is none."""
    for pattern in NOT_WORDS:
        source = pattern.sub(" ", source)
    return [word for word in source.split() if re.search(r"\w", word)]


def code_lines(notebook: NotebookNode) -> int:
    """Lines of code in sight."""
    seen = [cell for cell in notebook_checks.code_cells(notebook) if is_in_sight(cell)]
    return sum(notebook_checks.n_lines(cell) for cell in seen)


def n_pictures(notebook: NotebookNode) -> int:
    """Figures, scores and players in sight.

    Of a slider (`states`) a reader looks at one picture and moves it: it counts as one picture, and as one player more
    if its states have players.
    """
    count = 0
    for cell in notebook_checks.code_cells(notebook):
        for output in cell.outputs if is_in_sight(cell) else []:
            data = output.get("data", {})
            count += "image/png" in data or "image/svg+xml" in data
            text = data.get("text/html", "")
            for slider in SLIDER.findall(text):
                count += bool(DRAWN.search(slider)) + bool(notebook_checks.PLAYER.search(slider))
            text = SLIDER.sub("", text)
            count += len(DRAWN.findall(text)) + len(notebook_checks.PLAYER.findall(text))
    return count


def minutes(notebook: NotebookNode) -> float:
    """How long an attentive reader needs, exercises read and not solved."""
    seconds = SECONDS_A_LINE * code_lines(notebook) + SECONDS_A_PICTURE * n_pictures(notebook)
    return n_words(notebook) / WORDS_A_MINUTE + seconds / 60


def faults_of_minutes(notebook: NotebookNode) -> list[str]:
    """The lesson says how long it takes, to the nearest five minutes, and that is an hour at most."""
    said, needed = re.search(r"(\d+) minutes", notebook.cells[0].source), minutes(notebook)
    wanted = max(5, 5 * round(needed / 5))
    faults = [] if said and abs(int(said[1]) - needed) <= 5 else [f"write '{wanted} minutes' in the first cell"]
    return faults + ([f"{needed:.0f} minutes, at most {MAX_MINUTES}"] if needed > MAX_MINUTES else [])


def faults_of_measure(notebook: NotebookNode) -> list[str]:
    """Cells, hidden ones too, lines and words in sight are few, and no line of code has to be scrolled."""
    sizes = (
        (len(notebook.cells), MAX_CELLS, "cells"),
        (code_lines(notebook), MAX_CODE_LINES, "lines of code"),
        (n_words(notebook), MAX_WORDS, "words"),
    )
    faults = [f"{size:,} {what} in sight, at most {most:,}" for size, most, what in sizes if size > most]
    for where, cell in notebook_checks.numbered(notebook):
        wide = max(map(len, cell.source.splitlines()), default=0)
        if wide > MAX_COLUMNS and is_in_sight(cell):
            faults.append(f"{where} has a line of {wide} columns, at most {MAX_COLUMNS}")
    return faults


def recorded(notebook: NotebookNode) -> dict[str, float]:
    """The values that the lesson recorded, by name."""
    outputs = [output for cell in notebook_checks.code_cells(notebook) for output in cell.outputs]
    notes = [output.get("metadata", {}).get("musegen_record", {}) for output in outputs]
    return {note["name"]: float(note["value"].replace(",", "")) for note in notes if note.get("kind") == "value"}


def faults_of_numbers(notebook: NotebookNode) -> list[str]:
    """A decimal number in a sentence names the recorded value that it is, and is that value in its digits."""
    values, faults = recorded(notebook), []
    for text in map(prose, text_cells(notebook)):
        for match in MARKED.finditer(text):
            faults += fault_of_number(match, values)
        bare = MARKED.sub(" ", text)
        faults += [f"the number {number} names no recorded value" for number in DECIMAL.findall(bare)]
    return faults


def fault_of_number(match: re.Match, values: dict[str, float]) -> list[str]:
    """One marked number against the recorded values."""
    if match["name"] not in values:
        return [f"{match[0]}: nothing of the name {match['name']} is recorded"]
    digits = match["number"].replace(",", "").replace("−", "-")
    decimals = len(digits.partition(".")[2])
    value = values[match["name"]]
    fits = [round(value, decimals)]
    if match["percent"]:
        fits.append(round(100 * value, decimals))
    if any(abs(float(digits) - number) < 0.51 * 10**-decimals for number in fits):
        return []
    return [f"{match[0]}: recorded is {value:g}"]


def sentences(text: str) -> list[str]:
    """Sentences of a text cell; items of a list and paragraphs end one."""
    plain = COMMENT.sub("", prose(text))
    plain = re.sub(r"\[([^\]]*)\]", r"\1", re.sub(r"[*_]{1,3}(\S(?:.*?\S)?)[*_]{1,3}", r"\1", plain, flags=re.S))
    blocks = re.split(r"\n\s*\n|\n\s*(?:[*-]|\d+\.) ", plain)
    parts = [part for block in blocks for part in re.split(r"(?<=[.!?])[)\"'”]?\s+(?=[\"“(A-Z0-9])", block)]
    return [" ".join(part.split()) for part in parts if re.search(r"[A-Za-z]{2}.*[.!?)]$", part.strip(), re.S)]


def faults_of_style(notebook: NotebookNode) -> list[str]:
    """Few short sentences, few colons and semicolons, no codes of the ledger."""
    found = [sentence for text in text_cells(notebook) for sentence in sentences(text)]
    short = [sentence for sentence in found if len(sentence.split()) < SHORT]
    colons = sum(len(re.findall(r"[:;]", sentence)) for sentence in found)
    words, faults = sum(len(sentence.split()) for sentence in found) or 1, []
    if len(short) > MAX_SHORT_SENTENCES * len(found):
        faults.append(f"{len(short)} of {len(found)} sentences have under {SHORT} words, such as {short[0]!r}")
    if colons > MAX_COLONS * words / 1000:
        faults.append(f"{1000 * colons / words:.0f} colons and semicolons in 1,000 words, at most {MAX_COLONS}")
    codes = [match for text in text_cells(notebook) for match in CODES.findall(prose(text))]
    return faults + ([f"codes of the ledger in the text: {', '.join(codes)}"] if codes else [])


def faults_of_wording(notebook: NotebookNode) -> list[str]:
    """The field's standard terms, not homely words; the list is tests/repo/wording.tsv."""
    rows = [line.split("\t") for line in WORDING.read_text(encoding="utf-8").splitlines() if line[:1] not in ("#", "")]
    faults = []
    for pattern, better in rows:
        for text in map(prose, text_cells(notebook)):
            faults += [f"{match[0]!r}: write {better}" for match in re.finditer(pattern, text, re.I)]
    return faults


CHECKS = (faults_of_minutes, faults_of_measure, faults_of_numbers, faults_of_style, faults_of_wording)
