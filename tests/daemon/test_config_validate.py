from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.validate import MAX_FAULTS, Validator

BASE = Path("/etc/torhaus")
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Inner(msgspec.Struct, frozen=True):
    eui: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{4}$")]
    nets: list[str] = []

    def __post_init__(self) -> None:
        for net in self.nets:
            if "/" not in net:
                raise ValueError(f"{net!r} has no slash")


class Folder(msgspec.Struct, frozen=True, tag_field="type", tag="folder"):
    path: str


class Web(msgspec.Struct, frozen=True, tag_field="type", tag="http"):
    url: str
    token_file: str | None = None


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    port: Port = 80
    ratio: float = 0.5
    level: Literal["low", "high"] = "low"
    on: bool = True
    user: str | None = None
    password: str | None = None
    max_bytes: int = 0
    ca_file: str | None = None
    dir: str = "x"
    inner: list[Inner] = []
    one: Inner | None = None
    target: tuple[Folder | Web, ...] = ()
    by_name: dict[str, Port] = {}
    tags: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=3)] = ("a",)
    kids: Annotated[list[Folder], msgspec.Meta(max_length=1)] = []
    numbers: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if self.password and not self.user:
            raise ValueError("password: needs a user")
        if self.name == "bad":
            raise ValueError(f"name is {self.name!r},\n but must be good")
        if self.name == "strange":
            raise ValueError("this cannot be")


def faults_of(value: object, cls: type[msgspec.Struct] = Whole) -> dict[KeyPath, str]:
    check = Validator(BASE)
    made = check.struct(value, cls)
    assert (made is None) == bool(check.faults)
    return check.faults


def made_of(value: object) -> Whole:
    check = Validator(BASE)
    made = check.struct(value, Whole)
    assert check.faults == {}
    assert made is not None
    return made


def test_what_is_right_is_made() -> None:
    made = made_of(
        {
            "name": "n",
            "port": 1,
            "ratio": 1,
            "max_bytes": "64 MiB",
            "inner": [{"eui": "00ff", "nets": ["a/b"]}],
            "one": {"eui": "00ff"},
            "target": [{"type": "http", "url": "u"}, {"type": "folder", "path": "p"}],
            "by_name": {"x": 3},
            "tags": ["b", "c"],
            "numbers": [1, 1],
        }
    )
    assert made.max_bytes == 64 << 20
    assert made.inner == [Inner("00ff", ["a/b"])]
    assert made.target == (Web("u"), Folder("/etc/torhaus/p"))
    assert (made.tags, made.numbers, made.ratio) == (("b", "c"), frozenset({1}), 1.0)


def test_every_fault_is_found_at_once() -> None:
    assert faults_of(
        {
            "nam": 1,
            "port": 0,
            "ratio": "x",
            "level": "hihg",
            "on": 1,
            "max_bytes": "4 Gigs",
            "inner": [{"eui": "00FF"}, {}, 3, {"eui": "0000", "nets": ["x", 1]}],
            "one": [],
            "target": [{"url": "u"}, {"type": "htp"}, {"type": "http"}, {"type": 3}, 4],
            "by_name": {"x": 0},
            "tags": [],
            "kids": [{"path": "a"}, {"path": "b"}],
            "numbers": 3,
        }
    ) == {
        ("nam",): 'is not known here (did you mean "name"?)',
        ("name",): "is missing (must be text)",
        ("port",): "is 0, must be a whole number from 1 to 65535",
        ("ratio",): 'is "x", must be a number',
        ("level",): 'is "hihg", must be one of "high", "low" (did you mean "high"?)',
        ("on",): "is 1, must be true or false",
        ("max_bytes",): 'is "4 Gigs", must be a whole number of bytes, or text such as "64 MiB" or "2 GB"',
        ("inner", 0, "eui"): 'is "00FF", must be text that matches ^[0-9a-f]{4}$',
        ("inner", 1, "eui"): "is missing (must be text that matches ^[0-9a-f]{4}$)",
        ("inner", 2): "is 3, must be a table",
        ("inner", 3, "nets", 1): "is 1, must be text",
        ("one",): "is an empty list, must be a table",
        ("target", 0, "type"): 'is missing (must be one of "folder", "http")',
        ("target", 1, "type"): 'is "htp", must be one of "folder", "http" (did you mean "http"?)',
        ("target", 2, "url"): "is missing (must be text)",
        ("target", 3, "type"): 'is 3, must be one of "folder", "http"',
        ("target", 4): "is 4, must be a table",
        ("by_name", "x"): "is 0, must be a whole number from 1 to 65535",
        ("tags",): "is an empty list, must be a list with at least 1 of: text",
        ("kids",): "is a list, must be a list of tables",
        ("numbers",): "is 3, must be a list of: a whole number",
    }


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        ({"name": "n", "password": "geheim"}, ("password",), "needs a user"),
        ({"name": "bad"}, ("name",), "is 'bad', but must be good"),
        ({"name": "strange"}, (), "this cannot be"),
        ({"name": "n", "inner": [{"eui": "0000", "nets": ["a/b", "cd"]}]}, ("inner", 0, "nets"), "'cd' has no slash"),
        ({"name": "n", "ca_file": "credential:../x"}, ("ca_file",), None),
        ({"name": "n", "port": 1 << 80}, ("port",), None),
        ({"name": "n", "ratio": float("nan")}, ("ratio",), "is nan, must be a finite number"),
        ({"name": "n", "ratio": float("inf")}, ("ratio",), "is inf, must be a finite number"),
        ({"name": "n", "kids": {"path": "x"}}, ("kids",), "is a table, must be a list of tables: write [[kids]]"),
        (3, (), "is 3, must be a table"),
    ],
)
def test_one_fault(value: object, path: KeyPath, text: str | None) -> None:
    faults = faults_of(value)
    assert list(faults) == [path]
    assert text in {None, faults[path]}


def test_a_structs_own_check_runs_beside_other_faults() -> None:
    assert set(faults_of({"name": "bad", "port": 0})) == {("name",), ("port",)}
    # the default that stands in for a wrong value is not complained of
    assert set(faults_of({"name": "n", "password": "x", "user": 3})) == {("user",)}


def test_a_wrong_tag_where_there_is_one_struct_only() -> None:
    assert faults_of({"type": "http", "path": "x"}, Folder) == {("type",): 'is "http", must be "folder"'}
    assert faults_of({"type": "folder", "path": "x"}, Folder) == {}


def test_secrets_are_not_shown() -> None:
    class Login(msgspec.Struct):
        password: Annotated[str, msgspec.Meta(max_length=3)]

    assert "geheim" not in str(faults_of({"password": "geheim"}, Login))


def test_paths_are_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/c")
    made = made_of(
        {
            "name": "n",
            "ca_file": "ca.pem",
            "dir": "/abs",
            "target": [{"type": "http", "url": "u", "token_file": "credential:t"}],
        }
    )
    assert (made.ca_file, made.dir) == ("/etc/torhaus/ca.pem", "/abs")
    assert made.target == (Web("u", "/run/c/t"),)


def test_a_wrong_file_does_not_make_endless_messages() -> None:
    assert len(faults_of({"name": "n", **{f"k{i}": 1 for i in range(3 * MAX_FAULTS)}})) == MAX_FAULTS


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates()),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.sampled_from(["eui", "nets", "type", "path", "url", "x"]), v, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(Whole.__struct_fields__), VALUES, max_size=6))
def test_whatever_is_there_is_a_struct_or_faults(value: dict[str, Any]) -> None:
    check = Validator(BASE)
    made = check.struct(value, Whole)
    assert (made is None) == bool(check.faults)
    for path, text in check.faults.items():
        assert path[:1] == () or path[0] in (*Whole.__struct_fields__, "name")
        assert "\n" not in text
