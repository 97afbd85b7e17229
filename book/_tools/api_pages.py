"""Write one page a module for the library reference: book/api/*.md, which git ignores, and which Sphinx fills."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "musegen_lib"
PAGES = ROOT / "book/api"
PAGE = """# {name}

```{{eval-rst}}
.. automodule:: {name}
   :members:
   :ignore-module-all:
   :show-inheritance:
```
"""


def modules() -> dict[str, str]:
    """Map the dotted name of every module that has a docstring to the first sentence of it, in order."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if text and path.stem != "__main__":
            found[name] = text.split("\n\n")[0].replace("\n", " ")
    return found


def write_api_pages() -> int:
    """Write the pages that changed, drop those whose module is gone; return how many there are."""
    PAGES.mkdir(exist_ok=True)
    wanted = {PAGES / f"{name}.md": PAGE.format(name=name) for name in modules()}
    for path in PAGES.glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return len(wanted)
