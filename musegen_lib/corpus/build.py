"""Reading the installed music21's own files into flat arrays, with the course's readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from musegen_lib.core.errors import MusegenError
from musegen_lib.corpus.table import Entry, entries_to_arrays
from musegen_lib.formats.abc.reader import read_abc
from musegen_lib.formats.musicxml.reader import read_musicxml

READER_VERSION = 1  # raise it whenever a reader or this file changes what it gives

REGIONS = {  # start of the file or folder name -> style; the first that fits counts
    "han": "chinese",
    **dict.fromkeys(("altdeu", "ballad", "boehme", "erk", "fink", "kinder", "zuccal"), "german"),
    "lux": "luxembourg",
    "lot": "lorraine",
    "irl": "irish",
    "oneills1850": "irish",
    "ryansMammoth": "american",
    "americanfife": "american",
    "airdsAirs": "scottish",
    "northumbrian": "english",
    "": "european",
}
SONG_FOLDER = "essenFolksong"
DANCE_FOLDERS = ("ryansMammoth", "oneills1850", "airdsAirs", "miscFolk")
DANCE_STYLES = ("irish", "american", "scottish", "english")
CHORALE_TEMPO = 80
VOICE_NAMES = ("Soprano", "Alto", "Tenor", "Bass")


def folk_arrays() -> dict[str, np.ndarray]:
    """Read every folk tune of the corpus but Essen's four test files."""
    files = [file for file in sorted((corpus_dir() / SONG_FOLDER).glob("*.abc")) if not file.stem.startswith("test")]
    for folder in DANCE_FOLDERS:
        files += sorted((corpus_dir() / folder).glob("*.abc"))
    batches = Parallel(n_jobs=2)(delayed(_folk_entries)(file) for file in files)
    return entries_to_arrays([entry for batch in batches for entry in batch])


def chorale_arrays() -> dict[str, np.ndarray]:
    """Read every clean four-voice chorale: Soprano, Alto, Tenor, Bass, one voice each, of equal length."""
    files = sorted(file for file in (corpus_dir() / "bach").iterdir() if file.suffix in (".mxl", ".xml"))
    entries = Parallel(n_jobs=2, batch_size=16)(delayed(_chorale_entry)(file) for file in files)
    return entries_to_arrays([entry for entry in entries if entry is not None])


def corpus_dir() -> Path:
    """Folder of the installed music21's corpus, found without importing music21."""
    from importlib.util import find_spec

    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise MusegenError("music21 is not installed; run `python setup_env.py`")
    folder = Path(spec.origin).parent / "corpus"
    if not (folder / SONG_FOLDER).is_dir():
        raise MusegenError(f"{folder.name}: this music21 came without its corpus; reinstall music21")
    return folder


def tempo_for(kind: str, metre: str | None) -> int:
    """Quarter notes a minute at which we play tunes: the sources state none, so this is our reading of each metre."""
    unit = (metre or "4/4").partition("/")[2]
    if kind == "dance":
        return {"8": 165, "4": 180, "2": 190}.get(unit, 180) if metre != "2/4" else 100
    return {"8": 84, "4": 100, "2": 150}.get(unit, 200)


def _folk_entries(file: Path) -> list[Entry]:
    style = next(style for start, style in REGIONS.items() if file.stem.startswith(start) or file.parent.name == start)
    kind = "song" if file.parent.name == SONG_FOLDER else "dance"
    collection = file.stem if kind == "song" else file.parent.name
    entries = []
    for tune in read_abc(file):
        texts = {
            "id": f"{file.name}#{tune.number}",
            "title": _fix_title(" / ".join(tune.titles)),
            "metre": tune.metre or "",
        }
        texts |= {"key": tune.key or "", "style": style, "kind": kind, "collection": collection}
        ends = _phrase_marks([onset for onset, _, _ in tune.notes], tune.phrase_ends)
        notes = [(*note, 0, mark) for note, mark in zip(tune.notes, ends)]
        entries.append(Entry(notes, texts, tune.pickup_ticks, tempo_for(kind, tune.metre)))
    return entries


def _fix_title(title: str) -> str:
    """Read titles with DOS letters again: byte 0x81 is the u umlaut of Mengjiang nü, not a control character."""
    return title if title.isprintable() else title.encode("latin-1", "replace").decode("cp437")


def _phrase_marks(onsets: list[int], phrase_ends: tuple[int, ...]) -> list[bool]:
    last = set(np.searchsorted(onsets, phrase_ends) - 1)
    return [note in last for note in range(len(onsets))]


def _chorale_entry(file: Path) -> Entry | None:
    score = read_musicxml(file)
    clean = all(part.is_melody and part.n_voices == 1 for part in score.parts)
    if [part.name for part in score.parts] != list(VOICE_NAMES) or not clean:
        return None
    if len({part.length_ticks for part in score.parts}) > 1:
        return None
    notes = [(*note[:3], voice, note[3]) for voice, part in enumerate(score.parts) for note in part.notes]
    texts = {
        "id": file.name,
        "title": score.title or f"BWV {file.stem.removeprefix('bwv')}",
        "metre": score.metre or "",
        "key": score.key or "",
    }
    texts |= {"style": "chorale", "kind": "chorale", "collection": "bach"}
    return Entry(notes, texts, score.pickup_ticks, CHORALE_TEMPO)
