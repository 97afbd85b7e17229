"""What every part of the library may lean on: no torch, and nothing else of musegen_lib."""
