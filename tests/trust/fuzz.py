"""`make fuzz SECONDS=60`: damage sound files at random and read them in a process with limits; keep what goes wrong.

    python tests/trust/fuzz.py --seconds 60 [--seed 1] [--only midi,abc]

A failing file is made smaller and kept in tests/trust/regressions/TARGET/, named after its fault; `make test` reads it
from then on. The table of what was tried is printed, and written to out/fuzz.json.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "helpers")]

from fuzz_engine import Tally, fuzz, table  # noqa: E402
from fuzz_targets import CONVERSIONS, TARGETS  # noqa: E402
from sandbox import FAULT, read_all  # noqa: E402

REGRESSIONS = TESTS / "regressions"


def write_table(lines: list[str]) -> None:
    """Put the table of a run between the two marks in SECURITY.md."""
    path = TESTS.parents[1] / "SECURITY.md"
    before, _, rest = path.read_text(encoding="utf-8").partition("<!-- fuzz -->\n")
    _, _, after = rest.partition("<!-- end -->\n")
    path.write_text("\n".join([f"{before}<!-- fuzz -->", *lines, "<!-- end -->", after]), encoding="utf-8")


def replay() -> int:
    """Read every bomb and every input that once failed; return 1 if any is a fault still."""
    from bombs import BOMBS

    everything = TARGETS | CONVERSIONS
    kept = {(path.parent.name, path.name): path.read_bytes() for path in sorted(REGRESSIONS.glob("*/*"))}
    n_faults = 0
    for name, target in everything.items():
        inputs = {what: data for (where, what), data in (BOMBS | kept).items() if where == name}
        verdicts = read_all(target.read, list(inputs.values()), target.suffix, target.limits)
        faults = [(what, verdict) for what, verdict in zip(inputs, verdicts) if verdict.outcome == FAULT]
        n_faults += len(faults)
        print("".join(f"{name}, {what}: {verdict.said}\n" for what, verdict in faults), end="")
    unknown = {where for where, _ in BOMBS | kept} - everything.keys()
    if unknown:
        sys.exit(f"no target is called {', '.join(sorted(unknown))}")
    print(f"{len(BOMBS)} bombs and {len(kept)} inputs that once failed: {n_faults} faults")
    return 1 if n_faults else 0


def main() -> int:
    """Share the time out over the targets, three turns each; return 1 if there was any fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="", help="names of targets, with commas between them")
    parser.add_argument("--keep-table", action="store_true", help="write what was tried into SECURITY.md")
    parser.add_argument("--replay", action="store_true", help="only read the bombs and what once failed")
    wish = parser.parse_args()
    if wish.replay:
        return replay()
    targets = {name: t for name, t in (TARGETS | CONVERSIONS).items() if not wish.only or name in wish.only.split(",")}
    tallies, rng, turns = {name: Tally() for name in targets}, random.Random(wish.seed), 3
    print(f"{len(targets)} kinds of files for {wish.seconds:g} s, seed {wish.seed}", flush=True)
    for _ in range(turns):
        for name, target in targets.items():
            fuzz(target, tallies[name], rng, wish.seconds / turns / len(targets), REGRESSIONS / name)
    print("\n".join(table(tallies)))
    if wish.keep_table:
        write_table([f"Seed {wish.seed}, {wish.seconds:g} s on one core.", "", *table(tallies)])
    faults = {name: tally.faults for name, tally in tallies.items() if tally.faults}
    out = TESTS.parents[1] / "out" / "fuzz.json"
    out.parent.mkdir(exist_ok=True)
    counts = {name: dict(tally.outcomes) for name, tally in tallies.items()}
    out.write_text(json.dumps({"seed": wish.seed, "outcomes": counts, "faults": faults}, indent=1) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
