"""The fleet in virtual time: the policies of the app with thousands of instances, see `docs/scale.md`."""
