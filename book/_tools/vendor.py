"""Take from npm what the pages need, and lay it into book/_build/vendor, which Sphinx copies into the book."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "book/_web"
MODULES = WEB / "node_modules"
VENDOR = ROOT / "book/_build/vendor"
FILES = {  # from node_modules: where to in _static
    "mathjax/es5/tex-chtml.js": "mathjax/tex-chtml.js",
    "mathjax/es5/output/chtml/fonts/woff-v2": "mathjax/output/chtml/fonts/woff-v2",
    "mathjax/LICENSE": "mathjax/LICENSE",
    "onnxruntime-web/dist/ort.wasm.min.mjs": "ort/ort.wasm.min.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs": "ort/ort-wasm-simd-threaded.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm": "ort/ort-wasm-simd-threaded.wasm",
}


def vendor() -> None:
    """Install the pinned packages, once, and copy what the pages load."""
    lock, installed = WEB / "package-lock.json", MODULES / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm = shutil.which("npm") or sys.exit("book: npm is missing. Install Node.js 20 or newer, which brings it.")
        subprocess.run([npm, "ci", "--silent"], cwd=WEB, check=True)
    for source, target in FILES.items():
        copy(MODULES / source, VENDOR / target)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; times are kept, so that Sphinx sees what changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
