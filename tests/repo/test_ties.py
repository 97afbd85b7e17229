"""No choice among scores is left to the processor: bare partitions and sorts stand in core/ranking.py alone.

Of equal scores `np.argpartition`, `torch.topk` and sorts that are not stable take the one that their vector code comes
to first, and so name other items on another machine. What gives sorted values only, and not who has them, is free:
`np.sort`, `np.partition`, `list.sort()`, and `tensor.sort(...).values`. `argmax` is free as well: in numpy it takes the
first of equal scores by contract, and where near-equal scores can occur, `first_best` is the reader's to choose.
"""

import ast
from pathlib import Path

import nbformat
import pytest
from notebook_checks import code_cells, numbered, parse

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "musegen_lib" / "core" / "ranking.py"
NEVER = {"argpartition", "topk", "msort", "kthvalue"}
ARRAYS = {"np", "numpy"}  # whose sort gives values, and whose partition too


def is_stable(call):
    """Whether a call asks for kind="stable" or stable=True, in so many words."""
    asked = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
    return asked.get("kind") == "stable" or asked.get("stable") is True


def gives_values_only(call, parent):
    """Whether nobody learns whose the values are: np.sort(x), rows.sort() as a line, x.sort().values or [0]."""
    if isinstance(call.func.value, ast.Name) and call.func.value.id in ARRAYS:
        return True
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, ast.Attribute):
        return parent.attr == "values"
    return isinstance(parent, ast.Subscript) and getattr(parent.slice, "value", None) == 0


def tie_faults(tree, where):
    """One line for each call that leaves ties to the processor, by whatever name it was imported."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            bare = [alias.name for alias in node.names if alias.name in {*NEVER, "argsort"}]
            faults += [f"{where}:{node.lineno}: imports {name} by its bare name" for name in bare]
        if isinstance(node, ast.Attribute) and node.attr in NEVER:
            faults.append(f"{where}:{node.lineno}: {node.attr}")
        if isinstance(node, ast.Attribute) and node.attr == "argsort":
            call = parents[node]
            if not (isinstance(call, ast.Call) and call.func is node and is_stable(call)):
                faults.append(f"{where}:{node.lineno}: argsort that is not stable")
        sorts = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sort"
        if sorts and not is_stable(node) and not gives_values_only(node, parents[node]):
            faults.append(f"{where}:{node.lineno}: sort that is not stable")
    return [f"{fault}; take best_first of musegen_lib.core.ranking" for fault in faults]


def faults_of_file(path):
    where = path.relative_to(ROOT).as_posix()
    if path.suffix == ".py":
        return tie_faults(ast.parse(path.read_text(encoding="utf-8")), where)
    cells = numbered(nbformat.read(path, as_version=4))
    return [fault for name, cell in cells for fault in tie_faults(parse(cell), f"{where} {name}")]


def files():
    """Code of the library, of studies, of the book's tools, and the lessons."""
    found = [path for folder in ("musegen_lib", "data", "book") for path in (ROOT / folder).rglob("*.py")]
    kept = [path for path in found if path != HOME and "_build" not in path.parts]
    return sorted([*kept, *(ROOT / "notebooks").glob("*.ipynb")])


def test_no_choice_is_left_to_the_processor():
    assert [fault for path in files() for fault in faults_of_file(path)] == []


def test_the_search_reads_the_library_and_every_lesson():
    names = {path.name for path in files()}
    assert {"listeners.py", "sampling.py", "06b_listeners.ipynb"} <= names
    assert "ranking.py" in names  # metrics/ranking.py
    assert HOME.is_file()
    assert all(code_cells(nbformat.read(path, as_version=4)) for path in files() if path.suffix == ".ipynb")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("near = np.argpartition(-scores, k)[:k]", "argpartition"),
        ("near = scores.argpartition(k)", "argpartition"),
        ("from numpy import argpartition as cut", "imports argpartition by its bare name"),
        ("from torch import topk", "imports topk by its bare name"),
        ("best = torch.topk(scores, 5).indices", "topk"),
        ("values, best = scores.topk(5)", "topk"),
        ("choose = scores.topk", "topk"),
        ("order = np.argsort(-scores)", "argsort that is not stable"),
        ("order = np.argsort(-scores, kind='quicksort')", "argsort that is not stable"),
        ("order = np.argsort(-scores, kind=kind)", "argsort that is not stable"),
        ("order = sorted(rows, key=np.argsort)", "argsort that is not stable"),
        ("order = scores.argsort()[::-1]", "argsort that is not stable"),
        ("order = torch.argsort(scores, stable=False)", "argsort that is not stable"),
        ("values, order = scores.sort(descending=True)", "sort that is not stable"),
        ("order = scores.sort(descending=True).indices", "sort that is not stable"),
        ("order = scores.sort()[1]", "sort that is not stable"),
        ("values, order = torch.sort(scores)", "sort that is not stable"),
    ],
)
def test_a_planted_fault_is_caught(line, fault):
    assert tie_faults(ast.parse(f"def f():\n    {line}"), "a.py") == [
        f"a.py:2: {fault}; take best_first of musegen_lib.core.ranking"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "order = np.argsort(-scores, kind='stable')",
        "order = scores.argsort(stable=True)",
        "values, order = probs.sort(dim=-1, descending=True, stable=True)",
        "rows.sort(key=len)",
        "values = np.sort(counts)[::-1]",
        "values = scores.sort(dim=1).values",
        "values = scores.sort(descending=True)[0]",
        "least = np.partition(scores, -k)[-k]",
        "order = np.lexsort((b, a))",
        "order = sorted(rows, key=str)",
        "best = int(scores.argmax())",
    ],
)
def test_what_has_a_rule_of_its_own_passes(line):
    assert tie_faults(ast.parse(line), "a.py") == []
