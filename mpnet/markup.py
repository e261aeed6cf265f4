"""HTML for notebooks: small, whole in itself, and with every name escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mpnet.errors import shown

ROWS = 20
"""Rows of a table, at most; the rest is counted."""

_STYLE = {
    "box": "font:13px/1.45 system-ui,sans-serif;max-width:60em",
    "head": "font-size:15px;font-weight:600;margin:4px 0",
    "quiet": "opacity:.7;margin:2px 0",
    "table": "border-collapse:collapse;margin:6px 0;background:none;color:inherit;font:inherit",
    "cell": "padding:1px 10px 1px 0;text-align:left;background:none;border:0;vertical-align:middle",
    "number": "padding:1px 10px 1px 0;text-align:right;background:none;border:0;"
    "font-variant-numeric:tabular-nums",
    "th": "padding:1px 10px 3px 0;font-weight:600;background:none;border:0;"
    "border-bottom:1px solid #8886;opacity:.8",
    "bar": "display:inline-block;width:90px;height:9px;background:#8883;vertical-align:middle",
    "fill": "display:block;height:9px;background:#3a8fc9",
}
"""Colours are half transparent or of middle brightness: they show on white and on black."""
_BADGES = {"good": "#00795a", "bad": "#b84f00", "plain": "#5f6b76"}


class Html(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def text(words: str, limit: int = 200) -> Html:
    """Words of anybody: cut, without control characters, escaped."""
    return Html(escape(shown(words, limit)))


def element(tag: str, inner: str, style: str = "", **attributes: str) -> Html:
    """One element; ``inner`` is escaped unless it is ``Html``."""
    look = f' style="{_STYLE.get(style, style)}"' if style else ""
    more = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{tag}{look}{more}>{_safe(inner)}</{tag}>")


def joined(*parts: str) -> Html:
    """Several pieces one after another; each is escaped unless it is ``Html``."""
    return Html("".join(_safe(part) for part in parts))


def badge(words: str, kind: str = "plain") -> Html:
    """A word on a coloured ground: ``good``, ``bad`` or ``plain``."""
    look = "color:#fff;border-radius:3px;padding:1px 7px;font-size:12px;font-weight:600;"
    return element("span", words, look + f"background:{_BADGES[kind]}")


def bar(value: float) -> Html:
    """A probability as a bar; the number stands beside it."""
    width = round(100 * min(max(value, 0.0), 1.0), 1) if value == value else 0.0  # noqa: PLR0124
    fill = element("span", "", f"{_STYLE['fill']};width:{width:g}%")
    return element("span", fill, "bar", role="img", title=f"{value:.4g}")


def table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Iterable[int] = (),
    total: int = 0,
) -> Html:
    """A table; ``numbers`` are the columns on the right edge, ``total`` counts all rows there are."""
    right = set(numbers)
    looks = ["number" if column in right else "cell" for column in range(len(titles))]
    head = joined(
        *(
            element("th", title, f"{_STYLE['th']};text-align:{'right' if n in right else 'left'}")
            for n, title in enumerate(titles)
        )
    )
    body = joined(
        *(
            element("tr", joined(*(element("td", c, look) for c, look in zip(row, looks))))
            for row in rows[:ROWS]
        )
    )
    whole = joined(element("thead", element("tr", head)), element("tbody", body))
    left = max(total, len(rows)) - min(len(rows), ROWS)
    more = element("div", f"{left} more rows", "quiet") if left else Html("")
    return joined(element("table", whole, "table"), more)


def box(*parts: str) -> Html:
    """All of it, in the page's own colours."""
    return element("div", joined(*parts), "box")


def headline(words: str, *more: str) -> Html:
    """The first line, with badges after it."""
    return element("div", joined(words, *(joined(Html(" "), part) for part in more)), "head")


def quiet(words: str) -> Html:
    """A line that steps back."""
    return element("div", words, "quiet")


def lines(title: str, words: Sequence[str]) -> Html:
    """A few sentences under a title; nothing where there are none."""
    if not words:
        return Html("")
    items = joined(*(element("li", text(word, 400)) for word in words[:ROWS]))
    left = len(words) - ROWS
    more = quiet(f"{left} more") if left > 0 else Html("")
    return joined(
        element("div", title, "font-weight:600;margin-top:6px"),
        element("ul", items, "margin:2px 0;padding-left:20px"),
        more,
    )


def _safe(part: str) -> str:
    return part if isinstance(part, Html) else escape(part)
