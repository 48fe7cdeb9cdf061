"""Useful, deterministic answers without a model: found in the prompt, never invented."""
