"""Links of HAL documents (draft-kelly-json-hal) and the URI templates that d.velop's apps use in them. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urljoin

import msgspec

from torhaus.daemon.scans.targets.address import origin_of

MAX_URL_CHARS: Final = 8000
_EXPRESSION: Final = re.compile(r"\{([?&]?)([A-Za-z0-9_,.-]{1,1000})\}")


class Link(msgspec.Struct, frozen=True):
    """Where something is."""

    href: str


class Linked(msgspec.Struct, frozen=True):
    """A document of which only the links matter."""

    links: dict[str, Link | list[Link] | None] = msgspec.field(default={}, name="_links")

    def link(self, name: str) -> str | None:
        """Where it leads; of several (draft-kelly-json-hal-11 section 4.1.1) the first, None where there is none."""
        found = self.links.get(name)
        if isinstance(found, list):
            found = found[0] if found else None
        return None if found is None else found.href


def expand(template: str, values: Mapping[str, object]) -> str:
    """RFC 6570 with `{a}`, `{?a,b}` and `{&a,b}`; what has no value is left out. Lists and tables go as JSON."""

    def put(match: re.Match[str]) -> str:
        names = [name for name in match[2].split(",") if name in values]
        if not match[1]:
            return ",".join(_text(values[name]) for name in names)
        pairs = "&".join(f"{name}={_text(values[name])}" for name in names)
        return f"{match[1]}{pairs}" if pairs else ""

    return _EXPRESSION.sub(put, template)


def follow(base: str, href: str, values: Mapping[str, object]) -> str | None:
    """The absolute URL; None when it leads to another server, where our token must not go."""
    try:
        url = urljoin(base, expand(href, values))
        return url if len(url) <= MAX_URL_CHARS and origin_of(url) == origin_of(base) else None
    except ValueError:
        return None


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return quote(text, safe="")
