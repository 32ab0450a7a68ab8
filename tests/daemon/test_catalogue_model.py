from pathlib import Path

import pytest

from torhaus.daemon.catalogue.model import hexed, licence_of, slug


@pytest.mark.parametrize(
    ("text", "name"), [("EM300-TH (v2)", "em300-th-v2"), ("ticso_v1.1", "ticso-v1-1"), ("--", ""), ("x" * 99, "x" * 64)]
)
def test_slug(text: str, name: str) -> None:
    assert slug(text) == name


def test_hexed() -> None:
    assert hexed("01 FF") == "01ff"
    assert hexed([1, 255]) == "01ff"
    for bad in (None, "xy", [256], ["1"], 5):
        with pytest.raises(ValueError, match=r".*"):
            hexed(bad)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("/* Copyright Boke GmbH */", "Copyright Boke GmbH"),
        ("// SPDX-License-Identifier: MIT\n", "SPDX-License-Identifier: MIT"),
        ("var a;", "not stated"),
    ],
)
def test_licence(tmp_path: Path, header: str, said: str) -> None:
    script = tmp_path / "a.js"
    script.write_text(header)
    assert licence_of(script) == said
    assert licence_of(script, " ISC\n") == "ISC"
    assert licence_of(tmp_path / "none.js") == "not stated"


def test_a_script_that_says_nothing_has_the_licence_of_its_catalogue(tmp_path: Path) -> None:
    script = tmp_path / "a.js"
    script.write_text("var a;")
    assert licence_of(script, root=tmp_path) == "not stated"
    (tmp_path / "LICENSE").write_text("\n      Apache   License\n   Version 2.0\n")
    assert licence_of(script, root=tmp_path) == "Apache License (LICENSE of the catalogue)"
    script.write_text("// SPDX-License-Identifier: MIT")
    assert licence_of(script, root=tmp_path) == "SPDX-License-Identifier: MIT"
    (tmp_path / "LICENSE").write_bytes(b"")
    script.write_text("var a;")
    assert licence_of(script, root=tmp_path) == "not stated"
