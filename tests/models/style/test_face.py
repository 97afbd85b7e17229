"""What the packages show: few names, each where it is said to be, no torch before one is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from musegen_lib.models import style

METHOD_MODULES = sorted(file.stem for file in Path(style.__file__).parent.glob("[a-z]*.py"))


def modules_after(line):
    """Names of all modules that are loaded after a line of Python, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", f"{line}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


@pytest.mark.parametrize(
    "line",
    [
        "import musegen_lib.models.style.evaluation",
        "from musegen_lib.models.style import METHODS",
        "from musegen_lib.models.style.transfer import find_method; find_method('counts')",
    ],
)
def test_faces_names_of_methods_and_counting_do_without_torch(line):
    assert "torch" not in modules_after(line)


def test_no_method_imports_what_measures_it():
    line = "; ".join(f"import musegen_lib.models.style.{module}" for module in METHOD_MODULES)
    assert {"methods", "baselines", "transfer"} <= set(METHOD_MODULES)
    assert not [name for name in modules_after(line) if name.startswith("musegen_lib.models.style.evaluation")]
