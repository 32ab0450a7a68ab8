"""Which form a folder's catalogue has: one line each."""

from importlib import import_module
from pathlib import Path
from typing import Final

from torhaus.daemon.catalogue.documents import has_yaml
from torhaus.daemon.catalogue.model import Reader

FORMS: Final[dict[str, tuple[str, str, bool]]] = {
    "actility": ("vendors/*/drivers/*/driver.yaml", "torhaus.daemon.catalogue.actility", True),
    "chirpstack": ("vendors/*/codecs/*.js", "torhaus.daemon.catalogue.chirpstack", False),
    "ttn": ("vendor/*/*.yaml", "torhaus.daemon.catalogue.ttn", True),
}
"""Form to what gives it away, the module with `find(root)`, and whether it is written in YAML."""


def form_of(root: Path) -> str:
    """The form of the catalogue in this folder. ValueError when there is none."""
    for form, (sign, _, _) in FORMS.items():
        if next(root.glob(sign), None) is not None:
            return form
    signs = ", ".join(sign for sign, _, _ in FORMS.values())
    raise ValueError(f"{root}: no catalogue of devices: none of {signs}")


def reader_of(form: str) -> Reader:
    """What reads it. ValueError when a library is missing for it."""
    _, module, needs_yaml = FORMS[form]
    if needs_yaml and not has_yaml():
        raise ValueError("this catalogue is written in YAML: pip install 'torhaus[profiles]'")
    find: Reader = import_module(module).find
    return find
