"""All behaviour of Spillway. Knows nothing of the Functions host."""
