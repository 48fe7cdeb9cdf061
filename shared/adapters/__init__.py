"""The edge: one Azure SDK a file, each behind a protocol of `shared.ports`."""
