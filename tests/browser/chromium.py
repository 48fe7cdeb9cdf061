"""Which Chromium is driven, and how: without sandbox, extras or any request of its own."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str | None:
    """Where the Chromium of this machine is; None without one."""
    return next(filter(None, map(shutil.which, NAMES)), None)
