"""Values that a function may return, one of each kind that the FastAPI extension knows."""

from collections.abc import Callable

from fastapi import HTTPException
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel
from starlette.responses import Response


class Answer(BaseModel):
    text: str
    number: int = 3


def refused() -> None:
    raise HTTPException(418, detail={"code": "teapot"}, headers={"x-kind": "pot"})


SHAPES: dict[str, Callable[[], object]] = {
    "text": lambda: "grüße",
    "dict": lambda: {"a": [1, None, 2.5]},
    "list": lambda: [1, "zwei"],
    "number": lambda: 7,
    "fraction": lambda: 1.5,
    "true": lambda: True,
    "model": lambda: Answer(text="x"),
    "models": lambda: [Answer(text="y", number=4)],
    "empty": lambda: Response(status_code=204),
    "json": lambda: JSONResponse({"ok": True}, status_code=201, headers={"x-extra": "1"}),
    "html": lambda: HTMLResponse("<p>hi</p>"),
    "plain": lambda: PlainTextResponse("hi"),
    "redirect": lambda: RedirectResponse("/elsewhere", status_code=302),
    "refused": refused,
}
