"""Let links reach HTML ids: MyST knows headings and labels only, and `<a id="term-pitch"></a>` also works on GitHub.

In book/_config.yml: `sphinx: {local_extensions: {html_anchors: _ext}}`. A link to an id that does not exist stays a
warning, and so an error.
"""

import re

from docutils import nodes

ID = re.compile(r'\bid="([^"]+)"')


def add_html_ids(app, doctree):
    """Add the ids in the raw HTML of a page to the places in it that links may name: {id: (line, id, text)}."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for node in doctree.findall(nodes.raw):
        for name in ID.findall(node.astext()):
            slugs.setdefault(name, (node.line, name, name))


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", add_html_ids)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
