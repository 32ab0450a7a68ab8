"""Which native codec a vendor's model has: what profiles, imports and `torhaus codecs test` look up.

Vendor and model as in the public device repositories: lower case, words joined by hyphens.
"""

from fnmatch import fnmatchcase
from typing import Final

MODELS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "elsys": (("*", "elsys"),),
    "mydevices": (("*", "cayenne_lpp"),),
}
"""Vendor to (model, or a pattern of models, and the codec): the first that fits."""


def native(vendor: str, model: str) -> str | None:
    """The name of the codec in `registry.CODECS`; None when there is none for this model."""
    for pattern, codec in MODELS.get(vendor, ()):
        if fnmatchcase(model, pattern):
            return codec
    return None
