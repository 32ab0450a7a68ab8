"""Which native codec a vendor's model has: what profiles, imports and `torhaus codecs test` look up.

Vendor and model as in the public device repositories: lower case, words joined by hyphens.
"""

from fnmatch import fnmatchcase
from typing import Final

from torhaus.codecs.registry import FAMILIES, variant, variants

MODELS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "adeunis": (("*", "adeunis:*"),),
    "comtac": (
        ("lpn-cm4", "comtac_cm4"),
        ("cm-4", "comtac_cm4"),
        ("lpn-km", "comtac_lpn_km"),
        ("lpn-td1", "comtac_td1"),
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


def native(vendor: str, model: str) -> str | None:
    """The name of the codec in the registry; None when there is none for this model."""
    for pattern, codec in MODELS.get(vendor, ()):
        if fnmatchcase(model, pattern):
            family = codec.removesuffix(":*")
            if family == codec:
                return codec
            known = variant(family, model) if family in FAMILIES else None
            return known and f"{family}:{known}"
    return None


def natives(vendor: str, model: str) -> tuple[str, ...]:
    """All codecs of this model: its own first, then those with the names of an earlier published decoder."""
    own = native(vendor, model)
    return () if own is None else (own, *variants(own))
