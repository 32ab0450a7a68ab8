from pathlib import Path

import pytest

from tests.daemon import catalogues
from torhaus.daemon.catalogue import forms
from torhaus.daemon.catalogue.forms import form_of, reader_of


@pytest.mark.parametrize("form", ["actility", "ttn", "chirpstack"])
def test_forms(tmp_path: Path, form: str) -> None:
    root = getattr(catalogues, form)(tmp_path)
    assert form_of(root) == form
    assert list(reader_of(form)(root))


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no catalogue of devices"):
        form_of(tmp_path)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "has_yaml", lambda: False)
    with pytest.raises(ValueError, match=r"torhaus\[profiles\]"):
        reader_of("ttn")
    assert reader_of("chirpstack").__module__.endswith("chirpstack")
