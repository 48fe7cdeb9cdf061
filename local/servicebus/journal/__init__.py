"""What makes accepted messages survive a crash: one SQLite file, one commit per turn, recovery at the start."""
