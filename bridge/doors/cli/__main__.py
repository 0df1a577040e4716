"""`python -m bridge.doors.cli` is `nrx`: for services, which know the interpreter and not the script's folder."""

from bridge.doors.cli import main

main()
