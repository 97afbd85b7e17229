"""Take out of every page what the theme would load from elsewhere: thebe, which starts kernels on rented machines."""


def drop_thebe(app, page, template, context, doctree):
    """Drop the scripts of sphinx-thebe, and the address in them."""
    scripts = context.get("script_files", [])
    context["script_files"] = [script for script in scripts if not names_thebe(script)]


def names_thebe(script):
    """True for a script file, or a script in the page, of sphinx-thebe."""
    said = [str(getattr(script, "filename", script) or ""), *map(str, getattr(script, "attributes", {}).values())]
    return any("thebe" in text.lower() for text in said)


def setup(app):
    """Register with Sphinx; late, since others add their scripts at the same event."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
