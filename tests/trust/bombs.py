"""Small files that ask for much: what each target of the fuzzer must refuse, or read, within its limits."""

import io
import json
import zipfile

from fuzz_targets import CARD, SCORE, zipped
from midi_battery import CASES
from tiny_fonts import sine_font

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DEEP = 100_000


def nested_zip():
    """A zip of zips of zeros: 40 MB within 40 MB within a few kB."""
    data = zipped(score="0" * 40_000_000)
    for _ in range(3):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("score.xml", data)
        data = file.getvalue()
    return data


def card(**config):
    """The card of the seed's net, asking for another one."""
    return json.dumps(json.loads(CARD) | {"config": json.loads(CARD)["config"] | config}).encode()


BOMBS = {  # (target, name): file
    (
        "musicxml",
        "a billion laughs",
    ): f'<!DOCTYPE s [<!ENTITY l0 "ha">{LAUGHS}]><score-partwise>&l9;</score-partwise>'.encode(),
    ("musicxml", "quadratic laughs"): f'<!DOCTYPE s [<!ENTITY a "{"a" * 50_000}">]><s>{"&a;" * 50_000}</s>'.encode(),
    ("musicxml", "a file of this machine"): b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/hostname">]><s>&a;</s>',
    ("musicxml", "a page of the network"): b'<!DOCTYPE s SYSTEM "http://127.0.0.1:9/x.dtd"><score-partwise/>',
    ("musicxml", "parameter entities"): b'<!DOCTYPE s [<!ENTITY % a "<!ENTITY b 1>"> %a;]><s/>',
    ("musicxml", "deep nesting"): b"<score-partwise>" + b"<part>" * DEEP,
    ("musicxml", "50,000 attributes"): b"<score-partwise " + b" ".join(b'a%d=""' % n for n in range(50_000)) + b"/>",
    ("musicxml", "a million empty measures"): SCORE.replace(
        "</part></score", "<measure/>" * 300_000 + "</part></score"
    ).encode(),
    ("musicxml", "a note of 10^9 divisions"): SCORE.replace(
        "<duration>3</duration>", "<duration>999999999</duration>"
    ).encode(),
    ("musicxml", "300 parts"): SCORE.replace(
        "</score-partwise>", '<part id="P2"/>' * 300 + "</score-partwise>"
    ).encode(),
    ("mxl", "40 MB of zeros"): zipped(score="0" * 40_000_000),
    ("mxl", "a zip in a zip in a zip"): nested_zip(),
    ("mxl", "10,000 entries"): zipped(**{f"e{n}": "" for n in range(10_000)}),
    ("mxl", "a container that names itself"): zipped(
        **{"META-INF__container": '<a><rootfile full-path="META-INF/container.xml"/></a>'}
    ),
    ("sound font", "4,000 recordings a note"): sine_font(n_zones=4000, release=30_000),
    ("sound font", "64 recordings of 20 s"): sine_font(n_zones=64, release=30_000),
    ("sound font", "a million empty chunks"): sine_font()[:12] + bytes(8 * 10**6),
    ("abc", "the longest notes"): b"X:1\nM:1/64\nL:1/1\nK:C\n" + b"C9999|" * 5_000,
    ("abc", "a tuplet of 9999"): b"X:1\nK:C\n" + b"(9:9999:9999C" * 5_000,
    ("abc", "octaves without end"): b"X:1\nK:C\nC" + b"," * 100_000,
    ("abc", "brackets without end"): b"X:1\nK:C\n" + b"[" * 100_000 + b"{" * 50_000 + b'"' * 50_001,
    ("abc", "one bar line of 200,000 signs"): b"X:1\nK:C\nC" + b"|" * 200_000,
    ("abc", "a word of 200,000 letters"): b"X:1\nK:C\nC+" + b"a" * 200_000,
    ("abc", "20,000 tunes"): b"X:1\nK:C\nC\n" * 20_000,
    ("abc", "metres of 64ths"): b"X:1\nM:1/64\nL:1/1\nK:C\n" + b"C999|" * 99,
    ("card", "a net of 10^9 cells"): card(hidden_dim=10**9),
    ("card", "a net of a million cells"): card(hidden_dim=10**6),
    ("card", "a net of 30,000 cells"): card(hidden_dim=30_000),
    ("card", "a thousand layers"): card(n_layers=1000),
    ("card", "a million layers"): card(n_layers=10**6),
    ("card", "a number of 5,000 digits"): CARD.replace(b'"hidden_dim": 3', b'"hidden_dim": ' + b"9" * 5000),
    ("card", "deep nesting"): b"[" * DEEP,
    ("state", "a header of 2^60 bytes"): (2**60).to_bytes(8, "little") + b"{}",
    ("state", "a tensor of 2^40 numbers"): (99).to_bytes(8, "little")
    + b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'.ljust(99),
    ("frames", "deep nesting"): b'{"train": ' + b"[" * DEEP,
    ("frames", "a frame of 100,000 pitches"): json.dumps(
        {part: [[[60] * 100_000]] for part in ("train", "valid", "test")}
    ).encode(),
    ("splits", "deep nesting"): b"[" * DEEP,
    ("notebook", "deep nesting"): b'{"cells": ' + b"[" * DEEP,
    **{
        ("midi to " + form, "57 million bars"): CASES["57 million bars"].data
        for form in ("abc", "musicxml", "svg", "png")
    },
}
