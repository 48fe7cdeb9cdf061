"""Request body to table rows: reading within a limit, decompression within a limit, one refusal per bad envelope."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from local.insights.envelopes import Row, rows
from local.insights.errors import EnvelopeError, IntakeError

_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


@dataclass(slots=True)
class Batch:
    """What one request brought.

    Attributes:
        received: Envelopes in the body, good or bad.
        rows: Rows to store, by classic table name.
        errors: One entry per refused envelope, in the ingestion API's shape.
    """

    received: int = 0
    rows: dict[str, list[Row]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Envelopes that are stored."""
        return self.received - len(self.errors)

    @property
    def row_count(self) -> int:
        """Rows to store."""
        return sum(map(len, self.rows.values()))


class BodyBudget:
    """Bytes that all bodies now being read may hold together, so that many senders cost no more memory than a few.

    For use from one event loop.
    """

    def __init__(self, bytes_max: int) -> None:
        """Starts with everything free."""
        self._free_bytes = bytes_max

    @contextlib.asynccontextmanager
    async def reading(
        self, stream: AsyncIterator[bytes], *, limit_bytes: int, seconds_max: float
    ) -> AsyncIterator[bytes]:
        """The whole request body, counted until the block ends.

        Raises:
            IntakeError: 413, the body is larger than the limit; 503, too many bodies are being read; 408, the sender
                took too long. Reading stops there.
        """
        body = bytearray()
        try:
            await self._fill(body, stream, limit_bytes, seconds_max)
            yield bytes(body)
        finally:
            self._free_bytes += len(body)

    async def _fill(self, body: bytearray, stream: AsyncIterator[bytes], limit_bytes: int, seconds_max: float) -> None:
        try:
            async with asyncio.timeout(seconds_max):
                async for chunk in stream:
                    body += chunk
                    self._free_bytes -= len(chunk)
                    if len(body) > limit_bytes:
                        raise too_large(limit_bytes)
                    if self._free_bytes < 0:
                        raise IntakeError(503, "too many bodies at the same time; send this one again later")
        except TimeoutError as error:
            raise IntakeError(408, f"the body did not arrive within {seconds_max:g} seconds") from error


def too_large(limit_bytes: int) -> IntakeError:
    """The refusal of a body above the limit."""
    return IntakeError(413, f"the body is larger than {limit_bytes} bytes")


def decompress(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """The decoded body.

    Raises:
        IntakeError: 415 for an unknown encoding, 400 for data that is not of that encoding, 413 when it unfolds to more
            than the limit; memory use stays at the limit.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    window_bits = _WINDOW_BITS.get(encoding)
    if window_bits is None:
        raise IntakeError(415, f"content-encoding {encoding[:40]!r} is not covered; use gzip, deflate or none")
    decoder = zlib.decompressobj(window_bits)
    try:
        plain = decoder.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise IntakeError(400, f"the body is not valid {encoding}: {error}") from error
    if len(plain) > limit_bytes:
        raise IntakeError(413, f"the body unfolds to more than {limit_bytes} bytes")
    if not decoder.eof:
        raise IntakeError(400, f"the {encoding} body is cut short")
    if decoder.unused_data:
        raise IntakeError(400, f"the {encoding} body has data after its end")
    return plain


def parse(body: bytes, instrumentation_key: str | None) -> Batch:
    """Envelopes from an array, a single object or one object per line.

    Args:
        body: The decoded body.
        instrumentation_key: When given, envelopes with another key are refused.

    Raises:
        IntakeError: 400, the body holds no JSON.
    """
    batch = Batch()
    lines = _items(body)
    for index, item in enumerate(lines):
        batch.received += 1
        try:
            envelope = orjson.loads(item) if isinstance(item, bytes) else item
            _check_key(envelope, instrumentation_key)
            decoded = list(rows(envelope))
        except orjson.JSONDecodeError as error:
            batch.errors.append({"index": index, "statusCode": 400, "message": f"not valid JSON: {error}"})
        except EnvelopeError as error:
            batch.errors.append({"index": index, "statusCode": 400, "message": str(error)})
        else:
            for table, row in decoded:
                batch.rows.setdefault(table, []).append(row)
    return batch


def _items(body: bytes) -> list[Any]:
    text = body.strip()
    if not text:
        raise IntakeError(400, "the body is empty")
    if text.startswith(b"["):
        try:
            items: list[Any] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise IntakeError(400, f"the body is not valid JSON: {error}") from error
        return items
    return [line for line in text.split(b"\n") if line.strip()]


def _check_key(envelope: Any, instrumentation_key: str | None) -> None:
    if instrumentation_key is None or not isinstance(envelope, dict):
        return
    if str(envelope.get("iKey", "")).lower() != instrumentation_key.lower():
        raise EnvelopeError("iKey is not the instrumentation key of this service")
