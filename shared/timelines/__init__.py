"""Where the time of a turn goes."""
