"""What can be wrong with an app or its configuration."""


class HostError(Exception):
    """The app cannot be run as it is; the message says what to change."""


class UnsupportedError(HostError):
    """The app is valid on Azure but uses something that this host does not do."""
