"""`python -m musegen_lib` is the command `musegen`."""

from musegen_lib.cli.main import main

main()
