"""$management: what clients ask of a queue besides sending and receiving, one operation per function."""
