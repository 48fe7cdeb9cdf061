"""Answers that are used again: who may have one, how it is found, how questions in flight share one call."""
