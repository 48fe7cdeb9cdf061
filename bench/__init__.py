"""Measurements of the real thing on this machine; results are committed with the machine's description."""
