import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.page_scene import CHEAP
from torhaus.daemon.page import users
from torhaus.daemon.page.users import Role, User, Users, UsersFault, hashed, matches, read_users, write_users


def kept(password: str = "abc") -> str:
    return hashed(password, b"12345678", CHEAP)


def test_a_password_matches_itself_only() -> None:
    assert matches("abc", kept())
    assert not matches("abd", kept())
    assert not matches("", kept())
    assert hashed("abc", cost=CHEAP) != hashed("abc", cost=CHEAP)  # a salt of its own
    assert matches("ä" * 300, hashed("ä" * 300, cost=CHEAP))
    assert matches("\ud800", hashed("\ud800", cost=CHEAP))


def test_it_is_scrypt() -> None:
    # RFC 7914 section 12: the first 32 bytes of scrypt("password", "NaCl", N=1024, r=8, p=16)
    digest = users._scrypt("password", b"NaCl", (1024, 8, 16))
    assert digest.hex() == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    assert hashed("x").startswith("32768:8:1:")


def test_nobody_costs_as_much_as_somebody() -> None:
    parsed = users._parsed(users.NOBODY)
    assert parsed is not None
    assert parsed[0] == users._COST
    assert len(parsed[1]) == 16


@pytest.mark.parametrize(
    "odd",
    ["", "x", ":::::", "16:1:1:AAAAAAAAAAA", "0:1:1:AAAAAAAAAAA:AAAA", "17:1:1:AAAAAAAAAAA:" + "A" * 43,
     "99999999:8:1:AAAAAAAAAAA:" + "A" * 43, "262144:8:1:AAAAAAAAAAA:" + "A" * 43, "16:1:1:A*:" + "A" * 43,
     "16:1:1:AAAA:" + "A" * 43, "16:1:1:AAAAAAAAAAA:AAAA", "٣:1:1:AAAAAAAAAAA:" + "A" * 43],
)  # fmt: skip
def test_what_is_no_hash_matches_nothing(odd: str) -> None:
    assert not matches("abc", odd)


@given(st.text())
def test_any_text_is_a_hash_or_none(odd: str) -> None:
    assert users._parsed(odd) is None


def test_made_passwords() -> None:
    made = {users.made_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(p) == 19 and p.count("-") == 3 for p in made)


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "u.toml"
    assert read_users(path) == {}
    people = {n: User(n, r, kept()) for n, r in (("a.b@c", Role.ADMIN), ("gast", Role.VIEW))}
    write_users(path, people)
    assert path.stat().st_mode & 0o777 == 0o600
    found = read_users(path)
    assert {n: (u.role, u.scrypt) for n, u in found.items()} == {n: (u.role, u.scrypt) for n, u in people.items()}
    write_users(path, {})
    assert read_users(path) == {}
    assert [p.name for p in tmp_path.iterdir()] == ["u.toml"]


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "u.toml"
    write_users(path, {"a": User("a", Role.VIEW, kept())})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_users(path, {})
    assert list(read_users(path)) == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["u.toml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [", "no TOML"), ("x = 1", "nothing else"), ("user = 1", "nothing else"),
        ('[user."<b>"]\nrole = "view"', "user names must"), ("[user.a]\nrole = 'root'", "one of view, operate, admin"),
        ("[user.a]\nrole = 3", "one of"), ("user.a = 3", "one of"),
        ("[user.a]\nrole = 'view'\nscrypt = 'geheim'", "anew with"), ("[user.a]\nrole = 'view'", "anew with"),
    ],
)  # fmt: skip
def test_a_faulty_file_says_what_is_wrong_and_shows_nothing(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "u.toml"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(UsersFault, match=says) as e:
        read_users(path)
    assert "geheim" not in str(e.value)


def test_a_file_that_others_can_read_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "u.toml"
    write_users(path, {"a": User("a", Role.VIEW, kept())})
    them = Users(path)
    assert them.find("a") is not None
    path.chmod(0o640)
    os.utime(path, ns=(1, 1))
    assert them.find("a") is None
    assert "chmod 600" in str(them.fault)
    assert them.is_empty()
    path.chmod(0o600)
    os.utime(path, ns=(2, 2))
    assert them.find("a") is not None
    path.unlink()
    assert them.is_empty()
    assert them.fault is None


def test_names() -> None:
    assert all(users.is_name(n) for n in ("a", "a.b", "A-1", "x@y", "a" * 64))
    assert not any(users.is_name(n) for n in ("", ".a", "a b", "a" * 65, "ä", "a\n", '"'))
    assert User("a", Role.VIEW, "geheim").name == "a"
