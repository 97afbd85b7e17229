"""The layers of musegen_lib: every module imports only from its own layer or from those above it, without cycles."""

import ast
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "musegen_lib"
ROOT = Path(__file__).resolve().parents[1]
LAYERS = (  # the first part of a module's name below musegen_lib; a star stands for any letters
    ("__init__", "core", "errors", "piece", "roll_svg", "paths", "limits"),
    ("midi", "midi_*", "abc", "abc_*", "musicxml", "musicxml_*", "encodings", "soundfont", "interactions"),
    ("corpus", "metrics"),
    ("sampling", "events", "windows", "style_pair", "models"),
    ("training", "checkpoints", "resuming", "adversarial"),
    ("listen", "score", "score_*", "show", "gallery"),
    (
        *("exercises", "exercises_*", "notebooks", "ledger", "ledger_*"),
        *("recipes", "facts", "convert", "harmonise", "seed_phrase", "performing", "playing", "walking"),
        *("recommending", "recommending_*"),
        *("transfer", "transfer_*", "cli_*", "listener_*"),
        *("studies", "studies_*", "tour", "bench", "bench_*", "cli", "__main__"),
    ),
)
NO_TORCH = "metrics"  # measures must run where no model does, and must not be tempted to share code with one


def modules_of(root):
    """Map every module of the package to its file: {'musegen_lib.models.rnn': Path(...)}."""
    files = sorted((root / PACKAGE).rglob("*.py"))
    names = [".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return dict(zip(names, files, strict=True))


def imports_of(file, name):
    """Return every dotted name that a module imports, anywhere in it; `from a import b` counts as 'a.b'."""
    found = []
    package = name.split(".") if file.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found += [f"{stem}.{alias.name}" for alias in node.names]
    return found


def graph_of(root):
    """Map every module to the modules of the package that it imports."""
    modules = modules_of(root)
    graph = {}
    for name, file in modules.items():
        inner = [i for i in imports_of(file, name) if i.split(".")[0] == PACKAGE]
        # `from musegen_lib.models import rnn` names a module, `from musegen_lib.models.rnn import RNN` a thing in one
        graph[name] = {i if i in modules else i.rpartition(".")[0] or i for i in inner}
    return graph


def layer_of(name):
    """Number of the layer of a module, None for a module that the table does not know."""
    part = [*name.split("."), "__init__"][1]
    return next((n for n, parts in enumerate(LAYERS) if any(fnmatch(part, p) for p in parts)), None)


def layer_faults(root):
    """Return one line for every import that points up, and for every module that has no layer."""
    graph = graph_of(root)
    faults = [
        f"{name} has no layer: add it to LAYERS in tests/test_layering.py" for name in graph if layer_of(name) is None
    ]
    for name, targets in graph.items():
        for target in sorted(targets):
            layers = layer_of(name), layer_of(target)
            if None not in layers and layers[0] < layers[1]:
                faults.append(
                    f"{name} (layer {layers[0]}) imports {target} (layer {layers[1]}): imports point down only"
                )
    return faults


def cycle_faults(root):
    """Return one line naming a cycle of imports, if there is any."""
    try:
        TopologicalSorter(graph_of(root)).prepare()
    except CycleError as error:
        return ["import cycle: " + " -> ".join(error.args[1])]
    return []


def form_faults(root):
    """Return one line for each star import and each import of a notebook."""
    faults = []
    for name, file in modules_of(root).items():
        for target in imports_of(file, name):
            if target.endswith(".*"):
                faults.append(f"{name} imports {target}: name what you take")
            if "notebooks" in target.split(".") and not target.startswith(f"{PACKAGE}.notebooks"):
                faults.append(f"{name} imports {target}: nothing imports a notebook")
    return faults


def torch_faults(root):
    """Return one line for each import of torch in the measures or in a module that they lean on."""
    graph, modules, faults = graph_of(root), modules_of(root), []
    reached, waiting = set(), [name for name in graph if name.split(".")[1:2] == [NO_TORCH]]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in modules:
            continue
        reached.add(name)
        waiting += graph[name]
        torch = [i for i in imports_of(modules[name], name) if i.split(".")[0] == "torch"]
        faults += [f"{name} imports {i}, and {NO_TORCH} is to run without torch" for i in torch]
    return faults


def write_tree(root, **files):
    """Write a small package: write_tree(root, errors='...', models__rnn='...')."""
    for name, source in {"__init__": "", **files}.items():
        file = root / PACKAGE / f"{name.replace('__', '/') if name != '__init__' else name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    return root


def test_imports_point_down():
    assert layer_faults(ROOT) == []


def test_there_is_no_import_cycle():
    assert cycle_faults(ROOT) == []


def test_there_is_no_star_import_and_nothing_imports_a_notebook():
    assert form_faults(ROOT) == []


def test_the_measures_do_without_torch():
    assert torch_faults(ROOT) == []


def test_the_table_was_read_against_real_modules():
    assert {"musegen_lib", "musegen_lib.piece", "musegen_lib.encodings"} <= set(graph_of(ROOT))
    assert "musegen_lib.errors" in graph_of(ROOT)["musegen_lib"]


def test_an_import_that_points_up_is_caught_in_each_spelling(tmp_path):
    for line in (
        "import musegen_lib.training",
        "from musegen_lib import training",
        "from musegen_lib.training import fit",
        "from . import training",
        "from .training import fit",
        "def later():\n    from musegen_lib.training import fit",
    ):
        root = write_tree(tmp_path, training="def fit(): ...", midi=line)
        assert layer_faults(root) == [
            "musegen_lib.midi (layer 1) imports musegen_lib.training (layer 4): imports point down only"
        ], line


def test_an_import_that_points_down_or_sideways_is_fine(tmp_path):
    root = write_tree(tmp_path, errors="", midi="from musegen_lib import errors, midi_scan", midi_scan="")
    assert layer_faults(root) == []
    assert cycle_faults(root) == []


def test_an_unknown_module_is_told_to_enter_the_table(tmp_path):
    root = write_tree(tmp_path, kazoo="")
    assert layer_faults(root) == ["musegen_lib.kazoo has no layer: add it to LAYERS in tests/test_layering.py"]


def test_a_cycle_inside_one_layer_is_caught(tmp_path):
    root = write_tree(tmp_path, midi="import musegen_lib.abc", abc="from .midi import read")
    assert layer_faults(root) == []
    assert cycle_faults(root)[0].startswith("import cycle: ")


def test_a_star_and_a_notebook_are_caught(tmp_path):
    root = write_tree(tmp_path, midi="from os.path import *\nimport notebooks.nb01")
    assert form_faults(root) == [
        "musegen_lib.midi imports os.path.*: name what you take",
        "musegen_lib.midi imports notebooks.nb01: nothing imports a notebook",
    ]


def test_torch_below_the_measures_is_caught(tmp_path):
    root = write_tree(tmp_path, metrics__likelihood="from ..encodings import roll", encodings="from torch import nn")
    assert torch_faults(root) == ["musegen_lib.encodings imports torch.nn, and metrics is to run without torch"]
