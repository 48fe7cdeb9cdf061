"""HTML elements whose text is escaped by construction."""

from html import escape


class Html(str):
    """Finished markup. Any other string is text and gets escaped."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str) -> Html:
    """An element. `class_` stands for class, an underscore inside a name for a hyphen."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{shown}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Children one after the other; text among them is escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def whole(text: str) -> Html:
    """Text that is not broken into lines."""
    return tag("span", text, class_="whole")


def table(caption: str, head: list[str], rows: list[list[str]]) -> Html:
    """A table with a caption, column headers and the first cell of each row as its header."""
    top = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head)))
    body = tag("tbody", *(_row(row) for row in rows))
    scroller = tag("table", tag("caption", caption), top, body)
    return tag("div", scroller, class_="scroll", role="region", tabindex="0", aria_label=caption)


def _row(cells: list[str]) -> Html:
    first, *rest = cells
    return tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))


def interval_bar(value: float, low: float, high: float, demand: float | None, label: str) -> Html:
    """A drawn interval on a scale from 0 to 1 with the demand as a line; `label` says the same in words."""
    spots = {"low": low, "high": high, "value": value, "demand": -1.0 if demand is None else demand}
    x = {name: f"{2 + 196 * min(1.0, max(0.0, spot)):.1f}" for name, spot in spots.items()}
    width = f"{max(1.0, 196 * (min(1.0, high) - max(0.0, low))):.1f}"
    parts = [
        tag("title", label),
        tag("rect", x="2", y="9", width="196", height="2", class_="rail"),
        tag("rect", x=x["low"], y="6", width=width, height="8", class_="span"),
        tag("circle", cx=x["value"], cy="10", r="4", class_="dot"),
    ]
    if demand is not None:
        parts.append(tag("line", x1=x["demand"], x2=x["demand"], y1="1", y2="19", class_="demand"))
    return tag("svg", *parts, viewBox="0 0 200 20", class_="bar", role="img", aria_label=label)
