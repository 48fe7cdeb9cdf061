"""Dataset files on disk: found, checked against their checksums, read."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.evaluation.errors import DatasetChangedError, DatasetFormatError, DatasetMissingError

CHECKSUM_FILE = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Source:
    """One published dataset: its folder name below the data folder, and where it comes from."""

    folder: str
    origin: str
    licence: str


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The bytes of a file whose checksum was verified."""

    name: str
    text: str
    digest: str

    def json_lines(self) -> Iterator[Mapping[str, Any]]:
        """Each line as a JSON object.

        Raises:
            DatasetFormatError: a line is no JSON object.
        """
        # Not splitlines: texts may hold U+2028 and other characters that it takes for line ends.
        for number, line in enumerate(self.text.split("\n"), start=1):
            if line.strip():
                yield json_object(line, f"{self.name}:{number}")

    def csv_rows(self) -> Iterator[Mapping[str, str]]:
        """Each CSV row under the names of the header."""
        yield from csv.DictReader(io.StringIO(self.text, newline=""))


def read_checked(root: Path, source: Source, name: str) -> CheckedFile:
    """Read `root/<folder>/<name>` and verify it against `SHA256SUMS` in the same folder.

    Raises:
        DatasetMissingError: no such file; the message says where to get it.
        DatasetChangedError: the checksum differs or is not listed.
    """
    path = root / source.folder / name
    if not path.is_file():
        raise DatasetMissingError(
            f"{path} is missing. Get it from {source.origin} (licence {source.licence}), put it there together with "
            f"a {CHECKSUM_FILE} file, or point to the folder that holds {source.folder}/"
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    expected = _checksums(path.with_name(CHECKSUM_FILE)).get(name)
    if expected is None:
        raise DatasetChangedError(f"{path} cannot be verified: {path.with_name(CHECKSUM_FILE)} does not list it")
    if digest != expected:
        raise DatasetChangedError(
            f"{path} has sha256 {digest}, expected {expected}. Fetch it again from {source.origin}"
        )
    return CheckedFile(name, content.decode("utf-8-sig"), digest)


def json_object(line: str, place: str) -> Mapping[str, Any]:
    """Parse one JSON object.

    Raises:
        DatasetFormatError: it is none; the message names `place`.
    """
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DatasetFormatError(f"{place}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DatasetFormatError(f"{place}: expected a JSON object, found {type(row).__name__}")
    return row


def _checksums(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {parts[1].lstrip("*"): parts[0].lower() for parts in lines if len(parts) == 2}
