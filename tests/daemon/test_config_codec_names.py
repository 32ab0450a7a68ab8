from pathlib import Path

import pytest

from torhaus.daemon.config.codec_names import codec_fault


def test_what_may_stand_there(tmp_path: Path) -> None:
    (tmp_path / "boke").mkdir()
    for name in ("boke/level.js", "pegel.toml"):
        (tmp_path / name).write_text("")
        assert codec_fault(name, tmp_path) is None
    assert codec_fault("elsys", tmp_path) is None
    assert codec_fault("milesight:em300-th", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("elsis", 'did you mean "elsys"'),
        ("../x.js", "must be a script inside"),
        ("/x.js", "must be a script inside"),
        ("boke/levl.js", 'did you mean "boke/level.js"'),
        ("milesight:em300-ht", "has no such model"),
        ("EM300-TH", 'did you mean "milesight:em300-th"'),  # as it stands on the device
    ],
)
def test_what_may_not(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "boke").mkdir()
    (tmp_path / "boke/level.js").write_text("")
    assert text in str(codec_fault(name, tmp_path))
