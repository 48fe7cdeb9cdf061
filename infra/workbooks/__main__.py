"""`python -m infra.workbooks`: writes the workbook twice, for the portal and for the app, which goes without infra/."""

import argparse
import json
from pathlib import Path
from typing import Final

from infra.workbooks.layout import workbook

ROOT: Final = Path(__file__).resolve().parents[2]
FILES: Final = (ROOT / "infra" / "workbooks" / "spillway.workbook", ROOT / "shared" / "workbook" / "spillway.workbook")


def rendered() -> str:
    """The committed text of the workbook."""
    return json.dumps(workbook(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m infra.workbooks", description=__doc__).parse_args()
    for file in FILES:
        file.write_text(rendered(), encoding="utf-8")
