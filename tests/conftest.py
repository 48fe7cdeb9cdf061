"""What all tests need of the machine."""

from tests.npm import provide


def pytest_configure() -> None:
    """Where the system has no Node.js, that of the development requirements is found on the path."""
    provide()
