"""Programs that take one schedule and write one record per turn."""
