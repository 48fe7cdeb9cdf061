"""Answers that the host gives by itself."""

from starlette.types import Send


async def send_empty(send: Send, status: int) -> None:
    """Answers with a status and no body, as the host does."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def send_plain(send: Send, status: int, text: str) -> None:
    """Answers with a short text."""
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
