"""Fuzzing of everything that reads bytes from elsewhere, and what it found."""
