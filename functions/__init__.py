"""Triggers: each file decodes, calls one use case and encodes."""
