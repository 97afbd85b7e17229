"""Kill processes (signal 9) at random moments of training and of saving, and see that nothing is lost.

    python tests/trust/kills.py --kills 50 [--seed 1]

A trainer is a process of its own that goes on from where the last one was killed. When one gets to the end, its
weights, optimizer, random state, losses and the order of its data must be, bit for bit, those of a run that nobody
killed. A writer publishes two nets in turn without end; whenever it is killed, one of them must load whole.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "helpers")]

import torch  # noqa: E402
from tiny_tunes import make_tunes  # noqa: E402

from musegen_lib.models.melody.batches import MelodyBatches, collate  # noqa: E402
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig  # noqa: E402
from musegen_lib.training import loop as training  # noqa: E402
from musegen_lib.training import resume  # noqa: E402
from musegen_lib.training.checkpoints import load_weights, read_card, read_state, write_checkpoint  # noqa: E402

NET = MelodyRNNConfig("gru", hidden_dim=24, embedding_dim=8, dropout=0.3)
CONFIG = training.TrainConfig(steps=60, learning_rate=0.01, warmup_steps=3, validate_every=2, patience=99, seed=7)
SAVING = mmap.mmap(-1, 2)  # shared by parent and children: 1 while a child is saving; how often it began to
TUNES, HELD_OUT = make_tunes(40, seed=1), [collate(make_tunes(4, seed=2))]


def train(folder: Path) -> None:
    """Train in `folder`, from the start or from where a killed trainer left it; write down how it ended."""
    torch.manual_seed(0)
    model, batches = MelodyRNN(NET), MelodyBatches(TUNES, 5, seed=3)

    def noted(step: int, *share: int) -> object:
        batch = batches(step, *share)
        with (folder / "order.txt").open("a") as order:
            order.write(f"{step} {sha256(batch.pitch_ids.numpy().tobytes()).hexdigest()}\n")
        return batch

    training.write_state = resume.write_state = marked(training.write_state)  # the best weights, and the last state
    run = training.fit(model, noted, HELD_OUT, CONFIG, folder / "run")
    ended = {"random": sha256(torch.get_rng_state().numpy().tobytes()).hexdigest(), "losses": run.valid_loss}
    write_checkpoint(folder / "net.safetensors", model, {"seed": CONFIG.seed})
    (folder / "ended.json").write_text(json.dumps(ended))


def publish(folder: Path) -> None:
    """Write two nets in turn, for ever."""
    write = marked(write_checkpoint)
    for turn in range(10**9):
        write(folder / "net.safetensors", make_net(turn % 2), {"seed": turn % 2})


def make_net(seed: int) -> MelodyRNN:
    """A net of random weights."""
    torch.manual_seed(seed)
    return MelodyRNN(NET)


def marked(write: Callable[..., None]) -> Callable[..., None]:
    """The same writer, which raises the flag while it is at work."""

    def call(*args: object) -> None:
        SAVING[0], SAVING[1] = 1, (SAVING[1] + 1) % 256
        write(*args)
        SAVING[0] = 0

    return call


def run_and_kill(work: Callable[[Path], None], folder: Path, delay: float | None, saves: int) -> str:
    """Let a child work; kill it `delay` seconds after it began to save for the n-th time. Return how it ended."""
    SAVING[:] = bytes(2)
    child = os.fork()
    if not child:
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1), os.dup2(quiet, 2)
            work(folder)
            os._exit(0)
        finally:
            os._exit(70)
    phase = ""
    if delay is not None:
        while SAVING[1] < saves and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.0002)
        time.sleep(delay)
        phase = "saving" if SAVING[0] else "working"
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"a trainer or writer ended with {status}, not killed by us")
    return f"killed while {phase}" if status else "ended"


def everything(folder: Path) -> dict[str, object]:
    """All that a finished training left, apart from the time it took."""
    found: dict[str, object] = {"ended": json.loads((folder / "ended.json").read_text())}
    for name in ("best", "last"):
        tensors, about = read_state(folder / "run" / f"{name}.safetensors")
        about["run"] = json.loads(about.get("run", "{}")) | {"seconds": 0}
        found[name] = ({key: sha256(value.numpy().tobytes()).hexdigest() for key, value in tensors.items()}, about)
    found["net"] = (folder / "net.safetensors").read_bytes(), (folder / "net.json").read_bytes()
    order = dict(line.split() for line in (folder / "order.txt").read_text().splitlines() if line.count(" ") == 1)
    return found | {"order": order}


def check_between(folder: Path) -> None:
    """After a kill: a state or a checkpoint that is there is whole."""
    for state in (folder / "run").glob("*.safetensors"):
        if not state.name.startswith("."):
            read_state(state)
    if (folder / "net.safetensors").exists():
        load_weights(folder / "net.safetensors", make_net(9))


def kill_trainers(n_kills: int, rng: random.Random, home: Path) -> Counter:
    """Kill trainers until there were enough kills and a run has come to its end; compare it with one left alone."""
    (home / "alone").mkdir()
    assert run_and_kill(train, home / "alone", None, 0) == "ended"
    whole, ends = everything(home / "alone"), Counter()
    while sum(count for end, count in ends.items() if end.startswith("killed")) < n_kills:
        folder = home / f"run{ends['runs']}"
        folder.mkdir()
        end = ""
        while end != "ended":
            enough = sum(count for end, count in ends.items() if end.startswith("killed")) >= n_kills
            delay = rng.uniform(0, rng.choice((0.003, 0.03)))  # within a save, or in the steps that follow
            end = run_and_kill(train, folder, None if enough else delay, rng.randrange(12))
            ends[end] += 1
            ends["left a state to go on from"] += "killed" in end and (folder / "run" / "last.safetensors").exists()
            check_between(folder)
        assert everything(folder) == whole, f"{folder.name} is not, bit for bit, the run that nobody killed"
        ends["runs"] += 1
    assert ends["left a state to go on from"] > n_kills / 3, "the kills came too early to try anything"
    return ends


def kill_writers(n_kills: int, rng: random.Random, home: Path) -> Counter:
    """Kill writers; the checkpoint that loads is one of the two, with its own card."""
    folder, ends = home / "published", Counter()
    write_checkpoint(folder / "net.safetensors", make_net(0), {"seed": 0})
    for _ in range(n_kills):
        ends[run_and_kill(publish, folder, rng.uniform(0, 0.01), rng.randrange(1, 9))] += 1
        net = make_net(9)
        load_weights(folder / "net.safetensors", net)
        seed = read_card(folder / "net.safetensors")["seed"]
        wanted = make_net(seed).state_dict()
        assert all(torch.equal(value, wanted[name]) for name, value in net.state_dict().items())
    return ends


def main() -> None:
    """Three of five kills hit trainers, the others writers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    wish = parser.parse_args()
    torch.set_num_threads(1)
    rng, n_trainers = random.Random(wish.seed), -(-3 * wish.kills // 5)
    with tempfile.TemporaryDirectory() as home:
        trainers = kill_trainers(n_trainers, rng, Path(home))
        writers = kill_writers(wish.kills - n_trainers, rng, Path(home))
    for name, ends in (("trainers", trainers), ("writers", writers)):
        print(f"{name}: {', '.join(f'{count} {end}' for end, count in sorted(ends.items()))}; nothing lost")


if __name__ == "__main__":
    main()
