"""One's own questions, as JSON lines or CSV."""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.evaluation.datasets.folder import json_object
from shared.evaluation.errors import DatasetFormatError, DatasetMissingError
from shared.evaluation.records import Item
from shared.evaluation.task import Dataset

_LISTS = frozenset({"context", "sources", "tags"})
_KNOWN = _LISTS | {"id", "question", "reference", "target"}


def read_own(path: Path, *, name: str = "") -> Dataset:
    """Read a `.jsonl` or `.csv` file.

    Fields: `question` (required), `id`, `reference`, `context` (text or list), `sources` (ids of the documents that
    hold the answer), `target` (the right label, such as `refuse`), `tags`. Other fields land in the item's metadata.
    In CSV, lists are separated by `|`.

    Raises:
        DatasetMissingError: there is no such file.
        DatasetFormatError: a row has no question, a wrong type, or an id that was used before.
    """
    if not path.is_file():
        raise DatasetMissingError(f"{path} is missing")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetFormatError(f"{path.name}: not UTF-8 ({error})") from error
    items: dict[str, Item] = {}
    for place, row in _rows(path, text):
        item = _item(place, row)
        if item.item_id in items:
            raise DatasetFormatError(f"{place}: the id {item.item_id!r} is used twice")
        items[item.item_id] = item
    if not items:
        raise DatasetFormatError(f"{path.name}: holds no questions")
    return Dataset(name or path.stem, hashlib.sha256(content).hexdigest()[:12], tuple(items.values()))


def _rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path.suffix == ".csv":
        reader = csv.DictReader(io.StringIO(text, newline=""))
        for row in reader:
            place = f"{path.name}:{reader.line_num}"
            if None in row:
                raise DatasetFormatError(f"{place}: has more fields than the header")
            yield place, {name: _split(value) if name in _LISTS else value for name, value in row.items()}
    elif path.suffix == ".jsonl":
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"{path.name}:{number}", json_object(line, f"{path.name}:{number}")
    else:
        raise DatasetFormatError(f"{path.name}: expected a .jsonl or .csv file")


def _split(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split("|") if part.strip()]


def _item(place: str, row: Mapping[str, Any]) -> Item:
    question = _text(place, row, "question")
    if not question:
        raise DatasetFormatError(f"{place}: the field 'question' is missing or empty")
    digest = hashlib.sha256(question.encode()).hexdigest()[:16]
    return Item(
        _text(place, row, "id") or f"q-{digest}",
        question,
        reference=_text(place, row, "reference") or None,
        target=_text(place, row, "target") or None,
        context=_texts(place, row, "context"),
        expected_sources=_texts(place, row, "sources"),
        tags=_texts(place, row, "tags"),
        metadata={name: value for name, value in row.items() if name not in _KNOWN},
    )


def _text(place: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise DatasetFormatError(f"{place}: the field {name!r} must be a text")
    return str(value).strip()


def _texts(place: str, row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name) or []
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise DatasetFormatError(f"{place}: the field {name!r} must be a text or a list of texts")
