"""pyproject.toml, constraints.txt, environment.yml and what is installed say the same."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
ON_DEMAND = "mutants"  # an extra that its make target installs, and nothing else
REQUIREMENTS = [
    Requirement(line)
    for lines in [
        PROJECT["dependencies"],
        *(lines for extra, lines in EXTRAS.items() if extra not in ("all", ON_DEMAND)),
    ]
    for line in lines
]
SKETCHES = {"abclite", "mxlite"}  # oracles beside the checkout; tests that use them skip without
HOMES = (ROOT, ROOT / "tests", ROOT / "tests/helpers", ROOT / "tests/trust", ROOT / "book/_tools", ROOT / "book/_tests")
LOCAL = {path.stem for folder in HOMES for path in folder.glob("*.py")} | {"book", "data", "musegen_lib", "tests"}


def read_pins():
    """Map each canonical name in constraints.txt to its version; a line of another form fails here."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)", line) for line in lines if line[0] != "#"]
    return {canonicalize_name(pin[1]): pin[2] for pin in pins}


def sources():
    """Yield (where, source) of every Python file and every code cell of the course."""
    for folder in ("musegen_lib", "data", "tests", "book/_tools", "book/_tests"):  # book/_ext takes what Sphinx brings
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                yield str(path.relative_to(ROOT)), "\n".join(line for line in lines if line.lstrip()[:1] not in "%!")


def third_party_imports():
    """Map the top name of every import from outside Python and the course to the first file that has it."""
    found = {}
    for where, source in sources():
        for node in ast.walk(ast.parse(source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], where)
    known = sys.stdlib_module_names | LOCAL | SKETCHES
    return {name: where for name, where in found.items() if name not in known}


def load_setup_env():
    spec = importlib.util.spec_from_file_location("setup_env", ROOT / "setup_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_constraint_is_one_exact_version_without_paths_or_local_builds():
    pins = read_pins()
    assert len(pins) > 100
    assert "musegen-lib" not in pins


def test_every_requirement_has_a_pin_inside_its_range():
    pins = read_pins()
    missing = [r.name for r in REQUIREMENTS if canonicalize_name(r.name) not in pins]
    assert missing == [], "renew constraints.txt, see its first lines"
    outside = [f"{r} but pinned {pins[canonicalize_name(r.name)]}" for r in REQUIREMENTS if not _allows(r, pins)]
    assert outside == []


def _allows(requirement, pins):
    return requirement.specifier.contains(pins[canonicalize_name(requirement.name)], prereleases=True)


def test_what_is_installed_is_what_is_pinned():
    pins, different = read_pins(), []
    for name in {canonicalize_name(d) for found in packages_distributions().values() for d in found} & pins.keys():
        if Version(version(name)).public != Version(pins[name]).public:
            different.append(f"{name}: installed {version(name)}, pinned {pins[name]}")
    assert different == [], "run `python setup_env.py`, or renew constraints.txt"


def test_every_requirement_is_installed():
    for requirement in REQUIREMENTS:
        assert version(requirement.name)


def test_the_extra_all_takes_every_other_extra_but_the_one_on_demand():
    (line,) = EXTRAS["all"]
    assert Requirement(line).extras == EXTRAS.keys() - {"all", ON_DEMAND}


def test_the_conda_file_takes_a_python_that_fits_and_installs_all_extras_at_the_pins():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    items = {line.strip()[2:] for line in lines if line.strip().startswith("- ")}
    assert items == {"conda-forge", "python=3.11", "pip", "pip:", "-c constraints.txt", "-e .[all]"}
    assert SpecifierSet(PROJECT["requires-python"]).contains("3.11")
    assert "name: musegen" in lines


def test_every_third_party_import_is_declared():
    declared = {canonicalize_name(r.name) for r in REQUIREMENTS}
    homes = packages_distributions()
    undeclared = [
        f"{where} imports {name}"
        for name, where in third_party_imports().items()
        if not declared & {canonicalize_name(d) for d in homes.get(name, [])}
    ]
    assert undeclared == [], "declare them in pyproject.toml and renew constraints.txt"


def test_every_package_folder_is_installed():
    folders = {path.parent for path in (ROOT / "musegen_lib").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
    assert PYPROJECT["tool"]["setuptools"]["packages"] == {"find": {"include": ["musegen_lib*"]}}


def test_the_set_up_knows_when_nothing_changed(tmp_path):
    setup_env = load_setup_env()
    (tmp_path / "pyproject.toml").write_bytes(b"[project]\n")
    (tmp_path / "constraints.txt").write_bytes(b"torch==1\n")
    first = setup_env.fingerprint(tmp_path)
    (tmp_path / "constraints.txt").write_bytes(b"torch==1\r\n")
    assert setup_env.fingerprint(tmp_path) == first
    (tmp_path / "constraints.txt").write_bytes(b"torch==2\n")
    assert setup_env.fingerprint(tmp_path) != first


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (subprocess.CalledProcessError(1, ["python", "-m", "pip", "install"]), "`pip install` failed"),
        (subprocess.CalledProcessError(1, ["python", "-m", "venv", ".venv"]), "`python -m venv` failed"),
    ],
)
def test_an_interrupted_set_up_leaves_no_stamp_and_one_line(tmp_path, monkeypatch, capsys, error, message):
    setup_env = load_setup_env()
    for name in setup_env.INPUTS:
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(setup_env, "ROOT", tmp_path)
    monkeypatch.setattr(setup_env, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(setup_env, "make_venv", lambda: None)
    monkeypatch.setattr(setup_env, "install", lambda: None)
    assert setup_env.main() == 0
    assert setup_env.STAMP.is_file()
    (tmp_path / "constraints.txt").write_text("something new")
    monkeypatch.setattr(setup_env, "install", lambda: (_ for _ in ()).throw(error))
    assert setup_env.main() == 1
    assert capsys.readouterr().err.startswith(f"setup_env: {message}")
    assert not setup_env.STAMP.exists()


def test_an_old_python_is_told_in_one_line():
    message = load_setup_env().python_too_old((3, 9, 2), "python3")
    assert "\n" not in message
    assert message.startswith("Python 3.11 or newer is needed, python3 is 3.9.2.")


def test_shapes_are_checked_in_every_module_that_states_them():
    options = PYPROJECT["tool"]["pytest"]["ini_options"]["addopts"]
    [listed] = [option.removeprefix("--jaxtyping-packages=") for option in options if "jaxtyping" in option]
    *checked, checker = listed.split(",")
    assert checker == "beartype.beartype"
    files = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in (ROOT / "musegen_lib").rglob("*.py")}
    stating = [name for name, path in files.items() if "from jaxtyping import" in path.read_text(encoding="utf-8")]
    assert [name for name in stating if not any(f"{name}.".startswith(f"{one}.") for one in checked)] == []
    assert [one for one in checked if not any(f"{name}.".startswith(f"{one}.") for name in stating)] == []


def test_the_modules_that_are_mutated_and_their_tests_exist():
    mutmut = PYPROJECT["tool"]["mutmut"]
    named = mutmut["only_mutate"] + mutmut["pytest_add_cli_args_test_selection"]
    assert [name for name in named if not (ROOT / name).is_file()] == []
    left_out = [arg.removeprefix("--deselect=").split("::") for arg in mutmut["pytest_add_cli_args"] if "::" in arg]
    assert [name for file, name in left_out if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")] == []
