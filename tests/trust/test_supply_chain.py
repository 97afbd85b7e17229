"""What the course is made of: every licence named, nothing copied that must not be, nothing that runs on opening."""

import re
from importlib.metadata import distributions, metadata
from pathlib import Path

import nbformat
import pytest
from notebook_checks import faults_of_outputs
from packaging.utils import canonicalize_name

from musegen_lib.display.sound import sound_font_path
from tests.repo.test_environment import REQUIREMENTS, read_pins
from tests.repo.test_secrets_and_paths import kept_files

ROOT = Path(__file__).resolve().parents[2]
ASKS_FOR_MORE = re.compile(r"GPL|General Public|MPL|Mozilla|CDDL|EPL|EUPL|SSPL|BUSL|Commons Clause|Proprietary", re.I)
BINARIES = {".sf2", ".sf3", ".dll", ".so", ".dylib", ".exe", ".whl", ".jar", ".pyc", ".pkl", ".pickle", ".pt", ".pth"}


def licence_of(name):
    """What an installed package says of its own licence, in a line."""
    about = metadata(name)
    named = [line.split("::")[-1].strip() for line in about.get_all("Classifier") or [] if line.startswith("License")]
    stated = (
        about.get("License-Expression") or "; ".join(named) or (about.get("License") or "not stated").splitlines()[0]
    )
    return stated.replace("|", "/")


def rows():
    """Package -> licence, from the table of LICENCES.md."""
    text = (ROOT / "LICENCES.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| ([\w.-]+) \| ([^|]+?) \|", text, re.M))


def test_every_package_that_we_ask_for_has_a_row_with_its_licence():
    table = {name: licence for name, licence in rows().items() if name != "package"}
    wanted = {requirement.name: licence_of(requirement.name) for requirement in REQUIREMENTS}
    assert table == wanted, "renew the table in LICENCES.md"


def test_every_installed_package_whose_licence_asks_for_more_is_named():
    text, pins = (ROOT / "LICENCES.md").read_text(encoding="utf-8"), read_pins()
    strict = {d.metadata["Name"] for d in distributions() if ASKS_FOR_MORE.search(licence_of(d.metadata["Name"]))}
    assert "verovio" in strict  # so the search does find something
    unnamed = {name for name in strict if canonicalize_name(name) in pins and not re.search(rf"\b{name}\b", text)}
    assert unnamed == set(), "say in LICENCES.md what it asks for, or do without it"


def test_the_sound_font_is_read_where_pretty_midi_keeps_it():
    import pretty_midi

    assert sound_font_path().parent == Path(pretty_midi.__file__).parent
    assert ROOT not in Path(pretty_midi.__file__).parents or ".venv" in Path(pretty_midi.__file__).parts


def test_no_sound_font_no_program_and_no_pickle_is_kept():
    assert [path.name for path in kept_files() if path.suffix.lower() in BINARIES] == []
    for path in kept_files():
        with path.open("rb") as file:
            start = file.read(4)
        assert start not in (b"\x7fELF", b"MZ\x90\0", b"\xcf\xfa\xed\xfe"), path
        assert start != b"RIFF", f"{path}: a sound font or a wave file"


def notebook_with(markdown="", **data):
    output = nbformat.v4.new_output("display_data", data={key.replace("__", "/"): value for key, value in data.items()})
    cells = [nbformat.v4.new_markdown_cell(markdown), nbformat.v4.new_code_cell("1", outputs=[output])]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<svg xmlns="x"><g onload = "alert(1)"/></svg>',
        '<a href="javascript:alert(1)">a</a>',
        "<iframe srcdoc='x'></iframe>",
        '<object data="x.swf"></object>',
        '<meta http-equiv="refresh" content="0; url=x">',
        '<img src="https://example.org/a.png">',
        '<form action="x">',
    ],
)
def test_what_would_run_or_load_on_opening_is_caught_in_outputs_and_in_text(html):
    assert faults_of_outputs(notebook_with(text__html=html))
    assert faults_of_outputs(notebook_with(markdown=html))


def test_a_script_as_an_output_of_its_own_is_caught_and_a_player_is_not():
    assert faults_of_outputs(notebook_with(application__javascript="alert(1)"))
    assert (
        faults_of_outputs(notebook_with(text__html='<audio controls preload="none" src="data:audio/mpeg;base64,AA=">'))
        == []
    )
    assert faults_of_outputs(notebook_with(markdown="`on = 1` and $a < b$, a > c; *on* and [a](../book/x.md)")) == []
