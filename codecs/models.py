"""Which native codec a vendor's model has: what profiles, imports and `torhaus codecs test` look up.

Vendor and model as in the public device repositories: their identifiers (lower case, words joined by hyphens) and
the names that they show ("Milesight IoT Co., Ltd", "EM300-TH", "Vaqa'O+Plus").
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from torhaus.codecs.registry import FAMILIES, variant, variants

MODELS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "adeunis": (("*", "adeunis:*"),),
    **dict.fromkeys(("alpha-omega-technology", "alphaomegatechnology"), (("klax*", "comtac_klax"),)),
    "comtac": (
        *((name, "comtac_cm4") for name in ("lpn-cm4*", "lpn-cm-4*", "cm-4")),
        *((name, "comtac_cm2") for name in ("cm-2", "lpn-cm-2*", "lpn-cm2*")),
        ("klax*", "comtac_klax"),
        *((name, "comtac_lpn_do") for name in ("lpn-do", "lpn_do")),
        *((name, "comtac_ms3") for name in ("ms-3", "lpn-ms-3*")),
        ("lpn-km*", "comtac_lpn_km"),
        *((name, "comtac_td1") for name in ("lpn-td1*", "lpn-td-1*")),
    ),
    "dragino": (("*", "dragino:*"),),
    "decentlab": (("*", "decentlab:*"),),
    "elsys": (("*", "elsys"),),
    "milesight": (("*", "milesight:*"),),
    "milesight-iot": (("*", "milesight:*"),),
    "mydevices": (("*", "cayenne_lpp"),),
    "netvox": (("*", "netvox"),),
    "ursalink": (("*", "milesight:*"),),
    **dict.fromkeys(("nke", "nke-watteco"), (("*", "watteco:*"),)),
    "sensative": (*((name, "sensative_strips") for name in ("strips*", "presence", "ms-guard")), ("*", "sensative:*")),
    "tektelic": (("*", "tektelic:*"),),
    "watteco": (("*", "watteco:*"),),
}
"""Vendor to (model, or a pattern of models, and the codec; `family:*`: the family's codec for it): the first fits."""


_COMPANY: Final = frozenset({"ag", "gmbh", "inc", "ltd", "limited", "co", "ab", "sas", "technology", "communications"})
_BETWEEN: Final = re.compile(r"[\s,+&/]+")
_DROPPED: Final = re.compile(r"['`\u2019®™()]")
_OTHERS: Final = {"milesight-iot": "milesight", "nke-watteco": "nke"}
"""Vendors whose models' names begin with a shorter form of theirs."""


def native(vendor: str, model: str) -> str | None:
    """The name of the codec in the registry; None when there is none for this model."""
    vendor = _vendor(vendor)
    return next((codec for name in _spellings(vendor, model) if (codec := _native(vendor, name))), None)


def _native(vendor: str, model: str) -> str | None:
    for pattern, codec in MODELS.get(vendor, ()):
        if fnmatchcase(model, pattern):
            family = codec.removesuffix(":*")
            if family == codec:
                return codec
            known = variant(family, model) if family in FAMILIES else None
            return known and f"{family}:{known}"
    return None


def _words(text: str) -> list[str]:
    return [word for word in _BETWEEN.split(_DROPPED.sub("", text.lower())) if word.strip("-")]


def _vendor(text: str) -> str:
    """Without what kind of company it is."""
    words = _words(text.replace("_", " ").replace(".", " "))
    while len(words) > 1 and words[-1] in _COMPANY and "-".join(words) not in MODELS:
        words.pop()
    return "-".join(words)


def _spellings(vendor: str, model: str) -> Iterator[str]:
    """The model as an identifier, without the vendor, and, of a name with a description behind, the part number."""
    words = _words(model)
    name = "-".join(words)
    yield name
    for own in (vendor, _OTHERS.get(vendor, vendor)):
        if name.startswith(f"{own}-"):
            name = name.removeprefix(f"{own}-")
            words = name.split("-") if len(words) == 1 else words[len(own.split("-")) :]
            yield name
    if len(words) > 1 and any(letter.isdigit() for letter in words[0]):
        yield words[0]


def natives(vendor: str, model: str) -> tuple[str, ...]:
    """All codecs of this model: its own first, then those with the names of an earlier published decoder."""
    own = native(vendor, model)
    return () if own is None else (own, *variants(own))
