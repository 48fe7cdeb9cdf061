"""What Spillway says of itself while it works: never content, never keys."""
