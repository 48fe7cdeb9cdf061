"""Evaluation from the command line: runs, stand-ins for offline use, golden sets and gates."""
