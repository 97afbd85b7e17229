"""Make `.venv` with the exact versions of constraints.txt. Standard library only; runs on Linux, macOS and Windows.

    python setup_env.py                           # once; a second run notices that nothing changed
    .venv/Scripts/python -m musegen_lib tour      # Windows; elsewhere `make music` does both

On Linux a plain `pip install torch` takes a build for NVIDIA cards of several GB. The course needs the CPU build only:
set PIP_EXTRA_INDEX_URL to the CPU index named on the "Get Started" page of PyTorch before the first run.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "musegen-setup.stamp"  # written last: an interrupted set-up leaves none
LOG = VENV / "musegen-setup.log"  # all that pip said
TAIL_LINES = 3  # of what pip calls errors, shown if it fails
INPUTS = ("pyproject.toml", "constraints.txt")


def main() -> int:
    """Make or renew the environment; return the exit code."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        return fail(python_too_old(sys.version_info[:3], sys.executable))
    wanted = fingerprint(ROOT)
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        STAMP.touch()  # `make` compares times: the files were touched, not changed
        print("setup_env: .venv is up to date")
        return 0
    STAMP.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        make_venv()
        install()
    except subprocess.CalledProcessError as error:
        return fail(explain(error))
    except KeyboardInterrupt:
        return fail("interrupted. Nothing is lost: the same command goes on where it stopped.")
    STAMP.write_text(wanted, encoding="utf-8")
    seconds = time.monotonic() - started
    print(f"setup_env: 3/3 ready in {seconds:.0f} s; next: make music, or {venv_python()} -m musegen_lib tour")
    return 0


def make_venv() -> None:
    """Make `.venv` with this Python, or repair it; the environment that runs this very file is left standing."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    print(f"setup_env: 1/3 making .venv with Python {sys.version.split()[0]}", flush=True)
    clear = ["--clear"] if VENV.exists() and not made_by_this_python(VENV) else []
    run([sys.executable, "-m", "venv", *clear, str(VENV)])


def install() -> None:
    """Install the course, editable, with every extra, at the pinned versions."""
    print("setup_env: 2/3 installing the versions of constraints.txt (two minutes and 2 GB of disk)", flush=True)
    run([str(venv_python()), "-m", "pip", "install", "--progress-bar", "off", "-c", "constraints.txt", "-e", ".[all]"])


def run(command: list) -> None:
    """Run a command in the course folder; its output goes to LOG, one line says how far it is.

    Raises:
        subprocess.CalledProcessError: it failed; the end of the log has been shown.
    """
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8", "errors": "replace"}
    where = LOG if VENV.is_dir() else os.devnull
    with open(where, "a", encoding="utf-8") as log, subprocess.Popen(command, cwd=ROOT, env=env, **pipes) as process:
        lines = list(follow(process.stdout, log))
    if process.returncode:
        print(*([line for line in lines if line.startswith("ERROR")] or lines)[-TAIL_LINES:], sep="", file=sys.stderr)
        raise subprocess.CalledProcessError(process.returncode, command)


def follow(lines, log):
    """Yield the lines of a command while they are logged and counted on one line of the screen."""
    n_packages, started = 0, time.monotonic()
    on_screen = sys.stdout.isatty()
    for line in lines:
        log.write(line)
        if line.startswith(("Collecting ", "Obtaining ")):
            n_packages += 1
        step = (
            "all found; unpacking takes a minute more"
            if line.startswith("Installing ")
            else f"{n_packages} packages found"
        )
        if on_screen and line.startswith(("Collecting ", "Installing ")):
            print(f"\rsetup_env: 2/3 {step}, {time.monotonic() - started:.0f} s ", end="", flush=True)
        yield line
    if on_screen and n_packages:
        print()


def fingerprint(root: Path) -> str:
    """Digest of the files that decide what is installed, and where the editable install points."""
    digest = hashlib.sha256(str(root).encode())
    for name in INPUTS:
        digest.update((root / name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def made_by_this_python(venv: Path) -> bool:
    """True where the environment's Python has the version, up to the minor number, of the one running."""
    config = venv / "pyvenv.cfg"
    lines = config.read_text(encoding="utf-8").splitlines() if config.is_file() else []
    versions = [line.partition("=")[2].strip() for line in lines if line.startswith("version")]
    return [v.split(".")[:2] for v in versions] == [[str(part) for part in sys.version_info[:2]]]


def venv_python() -> Path:
    """Path of the environment's interpreter, which differs on Windows."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python_too_old(version: tuple, executable: str) -> str:
    """One line that says which Python is wanted and how to choose it."""
    found, wanted = ".".join(map(str, version)), ".".join(map(str, OLDEST_PYTHON))
    return (
        f"Python {wanted} or newer is needed, {executable} is {found}. "
        f"Choose another: `make music PYTHON=python{wanted}`, or run this file with it."
    )


def explain(error: subprocess.CalledProcessError) -> str:
    """One line on which step failed and what to try."""
    if "venv" in error.cmd:
        return "`python -m venv` failed (see above). Debian and Ubuntu keep that module in their package python3-venv."
    return f"`pip install` failed (see above; all of it in {LOG}). Check the network and run the same command again."


def fail(message: str) -> int:
    """Print one line for the reader and return the exit code of a failure."""
    print(f"setup_env: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
