"""`python -m local.host`."""

from local.host.cli import main

main()
