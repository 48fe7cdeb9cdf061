"""Everything on this machine with one command."""
