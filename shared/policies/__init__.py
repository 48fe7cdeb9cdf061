"""Pure decisions: time, randomness and counts come in as arguments, decisions go out as values."""
