"""Readers for published test sets and for one's own files. The data lies in a folder given by the caller."""
