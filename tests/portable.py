"""Run lessons and commands under the disguises that one machine can wear, and say what moved.

    python -m tests.portable [--lessons 06_recommendation,06b_listeners] [--disguises avx2,oldest]

A disguise is a processor with less vector code, another one's matrix kernels, or another number of threads. Each
lesson must give its stored outputs in every disguise, and each command the same bytes as without one. Prints a table
(disguise, lesson or command, what moved) and ends with status 1 where something moved. A disguise under which this
processor computes the same bits is left out. By default it wears whole processors; where something moves, the parts
(`--disguises torch-default,numpy-base,...`) tell which library it was. `--lessons none` leaves the lessons out,
`--no-files` the commands.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from musegen_lib.models.style.method_names import METHODS

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
NBVAL = ["-q", "-p", "no:cacheprovider", "-p", "tests.nbval_guard", "@tests/nbval_options.txt"]
WHOLE = ["avx2", "oldest", "openblas-skylakex", "threads-2"]  # together they wear every part below; worn by default
PARTS = ["torch-default", "torch-avx2", "numpy-avx2", "numpy-base", "openblas-haswell"]
PARTS += ["mkl-avx2", "mkl-compatible", "onednn-avx2"]  # to find out which library it was
DISGUISES = WHOLE + PARTS
FAILED_CELL = re.compile(r"^FAILED notebooks/\w+\.ipynb::(Cell \d+)", re.M)

MELODY = """X:1
T:Freude
M:4/4
L:1/4
K:D
FFGA|AGFE|DDEF|F>EE2|FFGA|AGFE|DDEF|E>DD2|
EEFD|EF/G/FD|EF/G/FE|DEA,2|FFGA|AGFE|DDEF|E>DD2|]
"""
COMMANDS = {
    "generate rnn": "generate rnn --n 20 --out {out}",
    "generate markov": "generate markov --n 20 --out {out}",
    "generate rnn-chorales": "generate rnn-chorales --n 2 --out {out}",
    "generate gan": "generate gan --n 20 --out {out}",
    "generate gan-phrases": "generate gan-phrases --n 20 --out {out}",
    "generate vae": "generate vae --n 20 --out {out}",
    "harmonise": "harmonise {melody} --out {out}/four.mid",
    "vary": "vary {melody} --n 20 --out {out}",
    **{f"transfer {way}": f"transfer {{melody}} --to chinese --method {way} --out {{out}}/to.mid" for way in METHODS},
    "recommend similar": "recommend similar {melody} --n 50 --json",
}


def disguises() -> dict[str, dict[str, str]]:
    """Name -> environment variables; "avx2" and "oldest" are a whole processor, the others one library's part of it."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    groups = [name for name in __cpu_dispatch__ if __cpu_features__[name]]  # numpy refuses names it does not dispatch
    newer = [name for name in groups if "512" in name or name == "X86_V4"]
    worn = {
        "torch-default": {"ATEN_CPU_CAPABILITY": "default"},
        "torch-avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
        "numpy-avx2": {"NPY_DISABLE_CPU_FEATURES": " ".join(newer)},
        "numpy-base": {"NPY_DISABLE_CPU_FEATURES": " ".join(groups)},
        "openblas-haswell": {"OPENBLAS_CORETYPE": "Haswell"},
        "openblas-skylakex": {"OPENBLAS_CORETYPE": "SkylakeX"},
        "mkl-avx2": {"MKL_CBWR": "AVX2"},
        "mkl-compatible": {"MKL_CBWR": "COMPATIBLE"},
        "onednn-avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        "threads-2": {"OMP_NUM_THREADS": "2"},
    }
    whole = [("torch", "avx2"), ("numpy", "avx2"), ("openblas", "haswell"), ("mkl", "avx2"), ("onednn", "avx2")]
    oldest = [("torch", "default"), ("numpy", "base"), ("openblas", "haswell"), ("mkl", "compatible")]
    for name, parts in (("avx2", whole), ("oldest", oldest)):
        worn[name] = {key: value for part in parts for key, value in worn["-".join(part)].items()}
    return worn | {"oldest": {**worn["oldest"], "ONEDNN_MAX_CPU_ISA": "SSE41"}}


def wearable(wanted: list[str]) -> dict[str, dict[str, str]]:
    """Those wanted disguises that change a bit of arithmetic on this processor; says of the others that they do not."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        print(f"{platform.machine()} is no x86 processor: only the number of threads can be changed")
        wanted = [name for name in wanted if name == "threads-2"]
    from numpy._core._multiarray_umath import __cpu_features__ as has

    known = disguises()
    risky = {"openblas-haswell": "AVX2", "openblas-skylakex": "AVX512F", "avx2": "AVX2", "oldest": "AVX2"}
    able = [name for name in wanted if has.get(risky.get(name), True)]  # other kernels would stop the process
    with ThreadPoolExecutor(2) as pool:
        probe = ["-m", "tests.portable", "--bits"]
        plain, *bits = pool.map(lambda worn: _python(probe, worn).stdout, [{}, *(known[name] for name in able)])
    if not plain:
        raise RuntimeError("the arithmetic could not be tried, even undressed")
    found = {name: known[name] for name, seen in zip(able, bits, strict=True) if seen and seen != plain}
    for name in wanted:
        if name not in found:
            print(f"{name}: cannot be worn here, or changes no bit; left out")
    return found


def arithmetic() -> str:
    """A seal over what the libraries make of the same numbers: products, exponentials, nets."""
    import numpy as np
    import torch

    torch.manual_seed(0)
    rows, rng = torch.randn(64, 96), np.random.default_rng(0)
    table = rng.standard_normal((300, 200))
    with torch.no_grad():
        nets = [torch.nn.Linear(96, 200)(rows), torch.nn.Conv1d(8, 16, 5)(torch.randn(4, 8, 50)), rows[:1] @ rows.T]
    found = [rows @ rows.T, rows.softmax(1), rows.exp(), rows.sum(1), *nets, table @ table.T, table.sum(1)]
    found += [np.exp(table), np.log(np.abs(table)), np.exp(table.astype(np.float32)), np.argpartition(table > 0, 9)]
    return sha256(b"".join(np.asarray(part).tobytes() for part in found)).hexdigest()


def run_lesson(lesson: str, disguise: dict[str, str]) -> str:
    """The cell that gave another output than the stored one, "" if none did; the cells below it are not looked at."""
    done = _python(["-m", "pytest", *NBVAL, f"notebooks/{lesson}.ipynb"], disguise)
    moved = FAILED_CELL.search(done.stdout)
    if done.returncode and not moved:
        raise RuntimeError(f"{lesson} did not run:\n{done.stdout}{done.stderr}")
    return moved[1] if moved else ""


def files_in(disguise: dict[str, str]) -> dict[str, dict[str, str]]:
    """Command -> file -> SHA-256, as a process in the disguise writes them."""
    with tempfile.TemporaryDirectory() as folder:
        done = _python(["-m", "tests.portable", "--write-files", folder], disguise)
        if done.returncode:
            raise RuntimeError(f"the commands did not run:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


def write_files(folder: Path) -> dict[str, dict[str, str]]:
    """Run every command in this process, as it is dressed."""
    from typer.testing import CliRunner

    from musegen_lib.cli.main import app

    melody, found = folder / "melody.abc", {}
    melody.write_text(MELODY, encoding="utf-8")
    for name, line in COMMANDS.items():
        out = folder / name.replace(" ", "-")
        out.mkdir()
        done = CliRunner().invoke(app, line.format(melody=melody, out=out).split(), catch_exceptions=False)
        if done.exit_code:
            raise SystemExit(f"{name}: {done.output}")
        if name == "recommend similar":
            rows = json.loads(done.stdout)["similar"]
            (out / "ids.txt").write_text("\n".join(row["id"] for row in rows), encoding="utf-8")
        found[name] = {file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(out.iterdir())}
    return found


def moved_files(plain: dict[str, str], dressed: dict[str, str]) -> str:
    """Say how many of a command's files have other bytes, and which is the first; "" if none has."""
    names = sorted(name for name in plain.keys() | dressed.keys() if plain.get(name) != dressed.get(name))
    return f"{len(names)} of {len(plain)} files, first {names[0]}" if names else ""


def _python(arguments: list[str], disguise: dict[str, str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **disguise}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def _rows(lessons: list[str], worn: dict[str, dict[str, str]], with_files: bool) -> Iterator[tuple[str, str, str]]:
    """Two processes at a time; a lesson in all disguises before the next."""
    with ThreadPoolExecutor(2) as pool:
        pairs = [(name, lesson) for lesson in lessons for name in worn]
        moved = pool.map(lambda pair: run_lesson(pair[1], worn[pair[0]]), pairs)
        yield from ((*pair, cell) for pair, cell in zip(pairs, moved, strict=True))
        found = list(pool.map(files_in, [{}, *worn.values()])) if with_files else []
        for name, files in zip(worn, found[1:]):
            yield from ((name, command, moved_files(found[0][command], files[command])) for command in COMMANDS)


def _chosen(text: str | None, known: list[str], what: str, usual: list[str]) -> list[str]:
    wanted = usual if text is None else [name for name in text.split(",") if name != "none"]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"{what} {', '.join(unknown)}: unknown; there are {', '.join(known)}")
    return wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", help="names of notebooks, separated by commas; all by default")
    parser.add_argument("--disguises", help=f"names, separated by commas; by default {','.join(WHOLE)}")
    parser.add_argument("--no-files", action="store_true", help="leave the commands out")
    parser.add_argument("--write-files", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bits", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write_files or asked.bits:
        print(json.dumps(write_files(asked.write_files)) if asked.write_files else arithmetic())
        return
    lessons, started, n_moved = _chosen(asked.lessons, LESSONS, "lessons", LESSONS), time.monotonic(), 0
    worn = wearable(_chosen(asked.disguises, DISGUISES, "disguises", WHOLE))
    print(f"{'disguise':20}{'lesson or command':26}what moved")
    for disguise, what, moved in _rows(lessons, worn, not asked.no_files):
        print(f"{disguise:20}{what:26}{moved or '-'}", flush=True)
        n_moved += bool(moved)
    print(f"{n_moved} moved in {len(worn)} disguises, {time.monotonic() - started:.0f} s")
    sys.exit(n_moved > 0)


if __name__ == "__main__":
    main()
