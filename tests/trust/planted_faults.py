"""A reader with every fault that the sandbox must tell apart, chosen by what the file says."""

import os
import time

from musegen_lib.core.errors import MusegenError


def misread(path):
    """Do as the file says."""
    wish = path.read_bytes().decode()
    if wish == "refuse":
        raise MusegenError(f"{path.name}: refused; try another")
    if wish == "lines":
        raise MusegenError("two\nlines")
    if wish == "key":
        return {}["nothing"]
    if wish == "loop":
        while True:
            pass
    if wish == "eat":
        return bytes(2_000_000_000)
    if wish == "nibble":
        return len(b"x" * 250_000_000)
    if wish == "abort":
        os.abort()
    if wish == "exit":
        os._exit(3)
    return time.sleep(0)
