"""A local Azure Functions host: runs the triggers of a Python v2-model app on this machine."""
