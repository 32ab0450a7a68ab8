"""HTML that cannot be wrong by accident: text is escaped where it is put in, and only `el` makes markup. Pure.

el("p", {"class": "note"}, "3 < 4, ", el("b", "really"))
"""

from collections.abc import Iterable
from html import escape
from typing import Any, Final, Union

from torhaus.daemon.cli.show import plain

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})
_ADDRESSES: Final = frozenset({"href", "src", "action", "formaction"})


class Html:
    """Markup, made by `el` and `joined` only."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Html({self.text!r})"


Child = Union["Html", str, int, float, None, Iterable["Child"]]
NOTHING: Final = Html("")


def el(tag: str, *parts: Child | dict[str, Any]) -> Html:
    """An element: attributes where a dictionary is given, all else is in it.

    An attribute that is None or False is left out, True stands without a value. Addresses must be of this site:
    ValueError for any other, which is a defect of ours.
    """
    head = [f"<{tag}"]
    body: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            head += [
                _attribute(name, value) for name, value in part.items() if value is not None and value is not False
            ]
        else:
            _put(part, body)
    start = "".join(head)
    return Html(f"{start}>" if tag in _VOID else f"{start}>{''.join(body)}</{tag}>")


def joined(*parts: Child, between: Child = None) -> Html:
    """Parts one after the other, with `between` between them."""
    body: list[str] = []
    for part in parts:
        if body and between is not None:
            _put(between, body)
        _put(part, body)
    return Html("".join(body))


def document(page: Html) -> bytes:
    """A whole page as it goes out. What is no Unicode, as a lone surrogate, becomes a question mark."""
    return f"<!doctype html>\n{page.text}\n".encode(errors="replace")


def _attribute(name: str, value: str | float | bool) -> str:
    if value is True:
        return f" {name}"
    text = str(value)
    if name in _ADDRESSES and (not text.startswith(("/", "?", "#")) or text.startswith(("//", "/\\"))):
        raise ValueError(f"an address of another site: {text[:100]!r}")
    return f' {name}="{escape(plain(text))}"'


def _put(part: Child, body: list[str]) -> None:
    if isinstance(part, Html):
        body.append(part.text)
    elif isinstance(part, str):
        body.append(escape(plain(part)))
    elif isinstance(part, int | float):
        body.append(str(part))
    elif part is not None:
        for one in part:
            _put(one, body)
