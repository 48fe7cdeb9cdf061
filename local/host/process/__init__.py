"""Processes: one instance of an app, and the supervisor of several."""
