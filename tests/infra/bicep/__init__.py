"""Evaluates Bicep files without Azure: enough of the language to see what a deployment would create."""
