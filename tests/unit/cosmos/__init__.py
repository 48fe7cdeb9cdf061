"""The parts of local/cosmos one by one: no process, no network."""
