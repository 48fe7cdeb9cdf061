"""Evaluators, one concern per file."""
