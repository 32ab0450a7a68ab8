"""Models into the folder of decoders: nothing is written over, nothing is run, what is left out says why."""

import json
from pathlib import Path

import pytest

from tests.daemon import catalogues
from torhaus.daemon.catalogue import take as taking
from torhaus.daemon.catalogue.forms import form_of, reader_of
from torhaus.daemon.catalogue.model import Entry, Skipped
from torhaus.daemon.catalogue.take import Choice, Taken, take
from torhaus.daemon.config.profiles import find


def taken(root: Path, scripts: Path, choice: Choice | None = None) -> dict[str, Taken | Skipped]:
    done = take(reader_of(form_of(root))(root), scripts, choice or Choice())
    return {each.profile if isinstance(each, Taken) else each.what: each for each in done}


def test_script_examples_and_profile(tmp_path: Path) -> None:
    scripts = tmp_path / "decoders"
    done = taken(catalogues.ttn(tmp_path / "ttn"), scripts)
    assert isinstance(done["boke/pegel-1"], Taken)
    profile = find("boke/pegel-1", scripts)
    assert (profile.codec, profile.encoder) == ("boke/level.js", "boke/encoder.js")
    assert (profile.name.en, profile.licence) == ("Pegel 1", "Copyright 2026 Example, MIT")
    assert (scripts / "boke/level.js").read_text() == catalogues.SCRIPT
    lines = [json.loads(line) for line in (scripts / "boke/pegel-1.examples.jsonl").read_text().splitlines()]
    assert [line["codec_path"] for line in lines] == ["boke/level.js", "boke/level.js", "boke/encoder.js"]
    assert list(scripts.rglob(".*")) == []


def test_what_a_decoder_lacks_is_said_in_its_profile(tmp_path: Path) -> None:
    taken(catalogues.actility(tmp_path / "catalogue"), tmp_path / "decoders")
    profiles = tmp_path / "decoders/profiles/boke"
    assert "earlier messages" in (profiles / "pegel-1.toml").read_text()
    assert "earlier messages" not in (profiles / "spare.toml").read_text()


def test_a_package_keeps_its_files(tmp_path: Path) -> None:
    scripts = tmp_path / "decoders"
    done = taken(catalogues.actility(tmp_path / "actility"), scripts)
    spare = done["boke/spare"]
    assert isinstance(spare, Taken)
    assert spare.codec == "boke/start/src/start.js"
    assert (scripts / "boke/start/src/lib.js").is_file()
    assert (scripts / "boke/level.js").is_file()  # index.js says nothing


def test_what_is_there_stays(tmp_path: Path) -> None:
    scripts = tmp_path / "decoders"
    root = catalogues.chirpstack(tmp_path / "chirpstack")
    taken(root, scripts)
    profile = scripts / "profiles/boke/pegel-1.toml"
    profile.write_text('codec = "boke/level.js"\ninterval_s = 60\n')
    again = taken(root, scripts)["boke/pegel-1"]
    assert isinstance(again, Skipped)
    assert "says something else (--replace" in again.why
    assert "interval_s" in profile.read_text()
    assert isinstance(taken(root, scripts)["boke/spare"], Taken)  # the same once more
    assert isinstance(taken(root, scripts, Choice(replace=True))["boke/pegel-1"], Taken)
    assert "interval_s" not in profile.read_text()


def test_links_are_not_written_through(tmp_path: Path) -> None:
    scripts = tmp_path / "decoders"
    (scripts / "boke").mkdir(parents=True)
    aim = tmp_path / "precious"
    aim.write_text("x")
    (scripts / "boke/level.js").symlink_to(aim)
    done = taken(catalogues.chirpstack(tmp_path / "c"), scripts, Choice(replace=True))
    assert isinstance(done["boke/pegel-1"], Skipped)
    assert aim.read_text() == "x"


def test_choice(tmp_path: Path) -> None:
    root = catalogues.chirpstack(tmp_path / "c")
    assert set(taken(root, tmp_path / "a", Choice(("other",)))) == set()
    assert "boke/spare" not in taken(root, tmp_path / "b", Choice(("boke/pegel-1",)))


def test_native_goes_first(tmp_path: Path) -> None:
    script = tmp_path / "em300-th.js"
    script.write_text(catalogues.SCRIPT)
    entry = Entry(vendor="milesight", model="em300-th", script=script)
    (left,) = take([entry], tmp_path / "d", Choice())
    assert isinstance(left, Skipped)
    assert "decoded by torhaus itself (milesight:em300-th)" in left.why
    (found,) = take([entry], tmp_path / "d", Choice(with_native=True))
    assert isinstance(found, Taken)


def test_odd_names_do_not_break_the_profile(tmp_path: Path) -> None:
    script = tmp_path / "a.js"
    script.write_text("")
    entry = Entry(vendor="boke", model="a", name='say "hi"\n[x]\\', script=script, licence='"\x00')
    take([entry], tmp_path / "d", Choice())
    assert find("boke/a", tmp_path / "d").name.en == 'say "hi" [x]\\'


def test_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MAX_MODELS", 2)
    done = take([Skipped(f"a/{n}", "x") for n in range(5)], tmp_path, Choice())
    assert [each.why for each in done if isinstance(each, Skipped)] == ["x", "x", "more than 2 models"]
