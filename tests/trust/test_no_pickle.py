"""Nothing in the course unpickles: a pickle can run whatever its maker wrote into it."""

import ast
import io
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "shelve",
    "marshal",
    "cloudpickle",
    "jsonpickle",
    "hickle",
    "pickle5",
}
LOADERS = {  # what reads pickles under another name: the module, and what of it
    "torch": {"load", "save", "package", "hub", "UntypedStorage.from_file"},
    "joblib": {"load", "dump", "Memory"},
    "pandas": {"read_pickle", "read_hdf"},
    "music21": {"freezeThaw", "corpus.parse", "converter.parse", "converter.parseFile"},  # reads a cache of pickles
    "sklearn.externals": {"joblib"},
}


def pickle_faults(source):
    """Line numbers at which a Python text could run code out of a data file."""
    tree = ast.parse(source)
    known = dict(origins_of(tree))
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            faults += [node.lineno for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES) or (
            isinstance(node, ast.Call) and unpickles(full_name(node.func, known), node)
        ):
            faults.append(node.lineno)
    return sorted(set(faults))


def origins_of(tree):
    """(name here, full name) of everything imported: ('np', 'numpy'), ('load', 'torch.load')."""
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            stem = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            yield (
                (alias.asname or alias.name.split(".")[0]),
                stem + (alias.name if alias.asname or stem else alias.name.split(".")[0]),
            )


def full_name(function, known):
    """'torch.load' for `t.load(...)` after `import torch as t`; '' for what has no name."""
    if isinstance(function, ast.Name):
        return known.get(function.id, function.id)
    if isinstance(function, ast.Attribute):
        stem = full_name(function.value, known)
        return f"{stem}.{function.attr}" if stem else ""
    return ""


def unpickles(name, call):
    """True for a call that may read a pickle; numpy's must say allow_pickle=False, music21's must not use its cache."""
    options = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in ("numpy.load", "numpy.lib.format.read_array"):
        return options.get("allow_pickle") != "False"
    module, _, rest = name.partition(".")
    if module == "music21" and rest in LOADERS["music21"]:
        return options.get("forceSource") != "True"
    return any(
        name.startswith(f"{home}.") and name.removeprefix(f"{home}.") in parts for home, parts in LOADERS.items()
    )


def sources():
    """(file, Python text) of all code of the course: library, tests, set-up, book, and the cells of notebooks."""
    for folder in ("musegen_lib", "tests", "book"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    yield "setup_env.py", (ROOT / "setup_env.py").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
        lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
        yield (
            str(path.relative_to(ROOT)),
            "\n".join("pass" if line.lstrip()[:1] in ("%", "!") else line for line in lines),
        )


def test_nothing_in_the_course_can_unpickle():
    found = {where: pickle_faults(text) for where, text in sources()}
    assert len(found) > 80
    assert {where: lines for where, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "import cloudpickle",
        "import torch\ntorch.load(path, weights_only=True)",
        "import torch as t\nt.save(model, path)",
        "from torch import load as read\nread(path)",
        "import numpy as np\nnp.load(path)",
        "import numpy\nnumpy.load(path, allow_pickle=True)",
        "from numpy import load\nload(path)",
        "import joblib\njoblib.load(path)",
        "from joblib import Memory\nMemory('x')",
        "import pandas as pd\npd.read_pickle(path)",
        "from music21 import corpus\ncorpus.parse('bwv66.6')",
        "from music21 import converter\nconverter.parse(path, format='abc')",
    ],
)
def test_the_lint_finds(line):
    assert len(pickle_faults(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np\nwith np.load(path, allow_pickle=False) as file: pass",
        "from music21 import converter\nconverter.parse(path, forceSource=True)",
        "import json\njson.load(file)",
        "from joblib import Parallel\nParallel(2)(jobs)",
        "import safetensors.torch\nsafetensors.torch.load(data)",
    ],
)
def test_the_lint_leaves_alone(line):
    assert pickle_faults(line) == []


def test_numpy_itself_refuses_a_pickle_unless_it_is_asked():
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
