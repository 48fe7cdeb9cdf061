"""The life of a turn: accepted, run, put off, followed, ended."""
