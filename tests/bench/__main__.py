"""`make bench`: speeds beside peers, models, sizes and times of the lessons; KEEP=1 writes the committed table."""

import argparse
from pathlib import Path

from musegen_lib.core.paths import committed
from tests.bench.run import bench
from tests.bench.table import changes, read_table, write_table

parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
parser.add_argument("--out", type=Path, default=Path("out"), help="folder for bench.json and bench.md")
parser.add_argument("--keep", action="store_true", help="write the committed table, data/bench.md")
parser.add_argument("--no-notebooks", action="store_true", help="leave the lessons out")
options = parser.parse_args()

before, now = read_table(committed("bench.json")), bench(not options.no_notebooks)
folder = committed("bench.json").parent if options.keep else options.out
write_table(now, folder)
print((folder / "bench.md").read_text(encoding="utf-8"))
moved = changes(before, now)
print(f"{len(moved)} of {len(now)} figures differ from the committed table by more than they may:", *moved, sep="\n")
