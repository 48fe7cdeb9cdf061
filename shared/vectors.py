"""Vectors as text, for records."""

import base64
import struct
from collections.abc import Sequence


def pack(vector: Sequence[float]) -> str:
    """A vector as text, in single precision as the embeddings have it."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpack(text: str) -> list[float]:
    """Reads what `pack` wrote."""
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))
