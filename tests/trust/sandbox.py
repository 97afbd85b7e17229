"""Read files in a child process with limits on time and memory; one verdict a file, whatever becomes of the child.

For use from a process with a single thread (tests/trust/fuzz.py, tests/trust/sandbox.py), since it forks.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from musegen_lib.core.errors import MusegenError

if os.name != "nt":  # where nothing here can run; the tests import it all the same
    import resource

READ, REFUSED, FAULT = "read", "refused", "fault"
LONGEST_LINE = 600  # characters of a message
SIGNALS = {"SIGPROF": "took too long", "SIGALRM": "waited too long", "SIGKILL": "was killed"}


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost: seconds of processor time, megabytes on top of what the program had before."""

    seconds: float = 3.0
    megabytes: int = 200


@dataclass(frozen=True)
class Verdict:
    """What became of one file: read, refused with a message of one line, or a fault of ours."""

    outcome: str
    said: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0


def read_all(read: Callable[[Path], object], inputs: Sequence[bytes], suffix: str, limits: Limits) -> list[Verdict]:
    """Give each input, as a file, to `read`; a child that dies is followed by another for the inputs that are left."""
    verdicts: list[Verdict] = []
    while len(verdicts) < len(inputs):
        verdicts += _one_child(read, inputs[len(verdicts) :], suffix, limits)
    return verdicts


def _one_child(read: Callable[[Path], object], inputs: Sequence[bytes], suffix: str, limits: Limits) -> list[Verdict]:
    """Verdicts until the child is done or dies; the input it died of is the last one."""
    ours, its = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        _be_the_child(read, inputs, suffix, limits, its)
    os.close(its)
    with os.fdopen(ours) as pipe:
        verdicts = [Verdict(**json.loads(line)) for line in pipe if line.endswith("\n")]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if len(verdicts) < len(inputs):
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        how = SIGNALS.get(name, f"died of {name}")
        verdicts.append(Verdict(FAULT, how, limits.seconds))
    return verdicts


def _be_the_child(
    read: Callable[[Path], object], inputs: Sequence[bytes], suffix: str, limits: Limits, pipe: int
) -> None:
    """Never returns. Says nothing: what a library prints about a bad file goes nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1), os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with tempfile.TemporaryDirectory() as folder:
            for number, data in enumerate(inputs):
                path = Path(folder) / f"{number}{suffix}"
                path.write_bytes(data)
                os.write(pipe, json.dumps(asdict(judge(read, path, limits))).encode() + b"\n")
                path.unlink()
        os._exit(0)
    finally:
        os._exit(70)


def judge(read: Callable[[Path], object], path: Path, limits: Limits) -> Verdict:
    """Read one file here and now, under the limits; past the time limit the process dies of a signal."""
    before, megabytes = _memory("VmRSS"), _forget_peak()
    usual = resource.getrlimit(resource.RLIMIT_AS)
    if megabytes:
        resource.setrlimit(resource.RLIMIT_AS, (int((_memory("VmSize") + 2 * limits.megabytes) * 2**20), usual[1]))
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    signal.setitimer(signal.ITIMER_REAL, 20 * limits.seconds + 5)
    started = time.process_time()
    try:
        read(path)
        outcome, said = READ, ""
    except MusegenError as error:
        outcome, said = REFUSED, str(error)
        if not said.isprintable() or len(said) > LONGEST_LINE:
            outcome, said = FAULT, f"message is no short line, it has {len(said)} characters"
    except Exception as error:
        outcome, said = FAULT, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    seconds = time.process_time() - started
    signal.setitimer(signal.ITIMER_PROF, 0), signal.setitimer(signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_AS, usual)
    grown = max(0.0, _memory("VmHWM") - before) if megabytes else 0.0
    if grown > limits.megabytes and outcome != FAULT:
        outcome, said = FAULT, f"took more than {limits.megabytes} MB"
    return Verdict(outcome, said, round(seconds, 4), round(grown, 1))


def _forget_peak() -> bool:
    """Let the peak of memory start anew; False where the system (macOS) has no such thing."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _memory(line: str) -> float:
    """Megabytes by a line of /proc/self/status; 0 where there is none."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(text.partition(line + ":")[2].split()[0]) / 1024


def main() -> None:
    """Read {"module", "reader", "suffix", "inputs": [hexadecimal]} from standard input, write the verdicts as JSON."""
    wish = json.load(sys.stdin)
    read = getattr(importlib.import_module(wish["module"]), wish["reader"])
    inputs = [bytes.fromhex(text) for text in wish["inputs"]]
    json.dump([asdict(verdict) for verdict in read_all(read, inputs, wish["suffix"], Limits())], sys.stdout)


if __name__ == "__main__":
    main()
