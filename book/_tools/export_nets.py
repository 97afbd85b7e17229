"""Write the melody RNN and the melody VAE for the browser: ONNX files, what the page must know, recorded cases.

The page runs one step of the RNN at a time, so its state goes in and comes out. Of the VAE only the decoder is needed:
the codes of the map are computed here. `cases.json` holds what PyTorch said; the browser must say the same.
"""

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from musegen_lib.corpus.build import DANCE_STYLES, tempo_for
from musegen_lib.encodings.arrays import FIRST_PITCH, MELODY_LOW
from musegen_lib.encodings.melody_events import LAGS, METRE_STEPS, METRES, MODES, STYLES
from musegen_lib.encodings.melody_form import NO_FINAL
from musegen_lib.models.chorale.seed_phrase import OUR_TUNE
from musegen_lib.models.melody.batches import START_ID, collate
from musegen_lib.models.melody.rnn import MelodyRNN, Plan
from musegen_lib.models.melody.sampling import MelodyRequest
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.interpolate import slerp
from musegen_lib.models.vae.vae import MelodyVAE

ROOT = Path(__file__).resolve().parents[2]
NETS = ROOT / "book/_build/vendor/nets"
MAX_BYTES = 8_000_000  # of all weights together
MAP_SIDE = 7
CORNERS = {  # two bars of 4/4 in C major, where the VAE is at home: (pitch, sixteenths)
    "Ode to Joy (Beethoven)": ((76, 4), (76, 4), (77, 4), (79, 4), (79, 4), (77, 4), (76, 4), (74, 4)),
    "Twinkle, twinkle (French, 18th century)": ((72, 4), (72, 4), (79, 4), (79, 4), (81, 4), (81, 4), (79, 8)),
    "Brother John (French)": ((72, 4), (74, 4), (76, 4), (72, 4), (72, 4), (74, 4), (76, 4), (72, 4)),
    "a phrase written for this course": tuple((pitch + 5, steps) for _, steps, pitch in OUR_TUNE[:7]),
}
REQUESTS = (
    MelodyRequest("german", "4/4", "G major", bars=8),
    MelodyRequest("irish", "6/8", "D major", pickup=2, bars=8),
    MelodyRequest("chinese", "2/4", "A minor", bars=16, temperature=1.4),
)


class Step(nn.Module):
    """One step of the RNN: reads an event and where the next one falls, scores the next pitch."""

    def __init__(self, net: MelodyRNN):
        super().__init__()
        self.net = net

    def forward(
        self, event: Tensor, now: Tensor, left: Tensor, back: Tensor, plan: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pitch logits (1, 44), features (1, 1, D), and the state.

        Args:
            event: (2,) pitch id and duration of the event before.
            now: (1, 1) step of the next event, and left: (1, 1) its count-down.
            back: (2, lags) pitch ids and durations of what began whole bars before.
            plan: (4,) style, metre, tonic, mode.
        """
        told = told_plan(plan)
        place = self.net.places(now, (back[0].view(1, 1, -1), back[1].view(1, 1, -1)), left, told)
        pitch, duration = event.split(1)
        read = self.net.read(pitch.unsqueeze(0), duration.unsqueeze(0), place, told)
        out, (hidden, cell) = self.net.cell(read, (hidden, cell))
        return self.net.score_pitch(out, place, told)[:, 0], torch.cat([out, place], dim=-1), hidden, cell


class Duration(nn.Module):
    """The head that scores durations once the pitch is chosen."""

    def __init__(self, net: MelodyRNN):
        super().__init__()
        self.net = net

    def forward(self, features: Tensor, pitch: Tensor, plan: Tensor) -> Tensor:
        """Duration logits (1, 65)."""
        hidden, place = features.split([self.net.config.hidden_dim, self.net.config.embedding_dim], dim=-1)
        return self.net.score_duration(hidden, place, told_plan(plan), pitch)[:, 0]


def told_plan(plan: Tensor) -> Plan:
    """The plan of (4,) numbers; the page asks for no form, and so for no last note."""
    return Plan(*plan.split(1), torch.full((1,), NO_FINAL))


class Unfold(nn.Module):
    """The decoder of the VAE, which reads back what it wrote."""

    def __init__(self, net: MelodyVAE):
        super().__init__()
        self.decoder = net.decoder

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, 32), the likeliest at each step, and their logits (B, 32, 44)."""
        return self.decoder.write(z, None)


def export_nets() -> int:
    """Write everything into book/_build/vendor/nets; return the bytes of all weights."""
    torch.set_num_threads(1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of packages that no net here needs
    NETS.mkdir(parents=True, exist_ok=True)
    rnn, vae = RECIPES["rnn"].load_once().eval(), RECIPES["vae"].load_once().eval()
    for parameter in (*rnn.parameters(), *vae.parameters()):
        parameter.requires_grad_(False)
    codes = map_codes(vae)
    write_rnn(rnn)
    write_onnx(Unfold(vae), (codes[:1],), "unfold", ["z"], ["tokens", "logits"])
    write_json("meta", meta(codes))
    write_json(
        "cases", {"rnn": [rnn_case(rnn, request, seed) for seed, request in enumerate(REQUESTS)]} | vae_cases(vae)
    )
    n_bytes = sum(path.stat().st_size for path in NETS.glob("*.onnx"))
    if n_bytes > MAX_BYTES:
        raise SystemExit(f"book: the nets of the playground take {n_bytes:,} bytes, more than {MAX_BYTES:,}")
    return n_bytes


def write_rnn(net: MelodyRNN) -> None:
    """Write step.onnx and duration.onnx."""
    state = torch.zeros(net.config.n_layers, 1, net.config.hidden_dim)
    whole = torch.zeros(1, 1, dtype=torch.long)
    event, back, plan = (
        torch.tensor([START_ID, 0]),
        torch.zeros(2, len(LAGS), dtype=torch.long),
        torch.tensor([1, 1, 7, 0]),
    )
    names = ["event", "now", "left", "back", "plan", "hidden", "cell"]
    outputs = ["pitch_logits", "features", "next_hidden", "next_cell"]
    write_onnx(Step(net), (event, whole, whole + 1, back, plan, state, state.clone()), "step", names, outputs)
    features = torch.zeros(1, 1, net.config.hidden_dim + net.config.embedding_dim)
    write_onnx(
        Duration(net), (features, whole + 2, plan), "duration", ["features", "pitch", "plan"], ["duration_logits"]
    )


def write_onnx(net: nn.Module, inputs: tuple, name: str, names: list[str], outputs: list[str]) -> None:
    """Write one net, weights inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own parts
        program = torch.onnx.export(
            net.eval(), inputs, input_names=names, output_names=outputs, dynamo=True, verbose=False, external_data=False
        )
    program.save(NETS / f"{name}.onnx", external_data=False)


def map_codes(vae: MelodyVAE) -> Tensor:
    """(side * side, Z) codes of the map, row by row: arcs between the codes of the four corners."""
    tokens = torch.tensor([[row for pitch, steps in tune for row in struck(pitch, steps)] for tune in CORNERS.values()])
    with torch.no_grad():
        top_left, top_right, bottom_left, bottom_right = vae.encode(tokens)[0]
    shares = np.linspace(0, 1, MAP_SIDE).tolist()
    rows = [(slerp(top_left, bottom_left, y), slerp(top_right, bottom_right, y)) for y in shares]
    return torch.stack([slerp(left, right, x) for left, right in rows for x in shares])


def struck(pitch: int, steps: int) -> list[int]:
    """Tokens of one note."""
    return [pitch - MELODY_LOW + FIRST_PITCH, *[0] * (steps - 1)]


def meta(codes: Tensor) -> dict:
    """What the page must know, from the library itself."""
    tempos = {
        f"{style} {metre}": tempo_for("dance" if style in DANCE_STYLES else "song", metre)
        for style in STYLES
        for metre in METRES
    }
    card = json.loads((ROOT / "data/checkpoints/rnn.json").read_text(encoding="utf-8"))
    return {
        "styles": STYLES,
        "metres": METRES,
        "modes": MODES,
        "bar_steps": METRE_STEPS,
        "lags": LAGS,
        "lowest_pitch": MELODY_LOW,
        "tempos": tempos,
        "valid_nats": card["valid_nats_per_note"],
        "map_side": MAP_SIDE,
        "corners": list(CORNERS),
        "corner_tunes": list(CORNERS.values()),
        "codes": rounded(codes, 6),
    }


@torch.no_grad()
def rnn_case(net: MelodyRNN, request: MelodyRequest, seed: int) -> dict:
    """A drawn tune, and the logits that the net gives when it reads the whole tune at once."""
    (tune,) = net.sample(1, request, torch.Generator().manual_seed(seed))
    pitch_logits, duration_logits = net(collate([tune], told=[True]))
    return {
        "request": {name: getattr(request, name) for name in ("style", "metre", "key", "pickup", "bars")},
        "events": list(zip(tune.pitch_ids.tolist(), tune.durations.tolist())),
        "pitch_logits": rounded(pitch_logits[0], 6),
        "duration_logits": rounded(duration_logits[0], 6),
    }


@torch.no_grad()
def vae_cases(vae: MelodyVAE, n: int = 5) -> dict:
    """Codes drawn from the prior, and what the decoder makes of them."""
    z = torch.randn(n, vae.config.latent_dim, generator=torch.Generator().manual_seed(0))
    tokens, logits = vae.decoder.write(z, None)
    return {"vae": {"codes": rounded(z, 7), "tokens": tokens.tolist(), "logits": rounded(logits, 6)}}


def rounded(values: Tensor, digits: int) -> list:
    """Numbers as JSON takes them."""
    return np.round(values.double().numpy(), digits).tolist()


def write_json(name: str, data: dict) -> None:
    """Write one file."""
    (NETS / f"{name}.json").write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    print(f"{export_nets():,} bytes of weights")
