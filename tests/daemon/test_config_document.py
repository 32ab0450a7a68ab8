from pathlib import Path

import pytest

from torhaus.daemon.config.document import MAX_FILE_BYTES, ConfigFaults, Fault, Tree, is_there, parse, read_text


def fault_of(text: str, *, secret: bool = False) -> Fault:
    with pytest.raises(ConfigFaults) as caught:
        parse(text, "x.toml", secret=secret)
    (fault,) = caught.value.faults
    return fault


def tree_of(*texts: str) -> Tree:
    tree = Tree()
    for number, text in enumerate(texts):
        tree.add(parse(text, f"{number}.toml"))
    return tree


def test_a_fault_is_one_line() -> None:
    assert str(Fault("a.toml", 3, "site.id", "is missing")) == "a.toml:3: site.id: is missing"
    assert str(Fault("a.toml", 3, "x", "is \x1b[0m\nü")) == "a.toml:3: x: is \\x1b[0m\\nü"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = [", 1), ("x = 1\nx = 2\n", 2), ('a = 1\n\nb = "', 3), ("a = 1\n[", 2)],
)
def test_what_is_no_toml_is_said_with_its_line(text: str, line: int) -> None:
    fault = fault_of(text)
    assert (fault.file, fault.line, fault.key) == ("x.toml", line, "syntax")


def test_a_secret_file_is_not_quoted() -> None:
    assert "s3cr" not in fault_of("s3cr = 1\ns3cr = 2", secret=True).text
    assert "s3cr" not in fault_of('[s3cr]\n[s3cr]\nx = "y"', secret=True).text


def test_what_makes_the_parser_fall_over_is_a_fault() -> None:
    assert fault_of("a = " + "[" * 5000 + "]" * 5000).text == "values are nested too deeply"
    assert fault_of("a = 2026-02-30").key == "syntax"
    assert "cannot be" in fault_of("a = " + "9" * 5000).text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def text_of(path: Path, limit: int = MAX_FILE_BYTES) -> Fault:
        with pytest.raises(ConfigFaults) as caught:
            read_text(path, "f.toml", limit)
        return caught.value.faults[0]

    assert str(text_of(tmp_path / "none")) == "f.toml:1: file: cannot be read: No such file or directory"
    assert "Is a directory" in text_of(tmp_path).text
    (tmp_path / "latin").write_bytes(b"a = 1\nb = 'stra\xdfe'\n")
    assert (text_of(tmp_path / "latin").line, text_of(tmp_path / "latin").text[:12]) == (2, "is not UTF-8")
    (tmp_path / "long").write_bytes(b"#" * 11)
    assert "too long" in text_of(tmp_path / "long", 10).text
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfa = 1")
    assert read_text(tmp_path / "bom", "bom") == "a = 1"


def test_whether_a_file_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_there(tmp_path)
    assert not is_there(tmp_path / "none")

    def forbidden(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", forbidden)
    assert is_there(tmp_path / "none")  # reading it will say why it cannot be read


def test_tables_are_joined_and_arrays_of_tables_appended() -> None:
    tree = tree_of(
        '[site]\nid = "a"\n[[driver]]\nname = "one"\n',
        '[store]\nx = 1\n[[driver]]\nname = "two"\n\n[[driver.gateway]]\neui = "e"\n[site]\nplace = "b"\n',
    )
    assert tree.clashes == []
    assert tree.data["site"] == {"id": "a", "place": "b"}
    assert [d["name"] for d in tree.data["driver"]] == ["one", "two"]
    assert tree.locate(("site", "id")) == ("0.toml", 2)
    assert tree.locate(("site", "place")) == ("1.toml", 9)
    assert tree.locate(("driver", 0, "name")) == ("0.toml", 4)
    assert tree.locate(("driver", 1, "name")) == ("1.toml", 4)
    assert tree.locate(("driver", 1, "gateway", 0, "eui")) == ("1.toml", 7)


def test_a_key_in_two_files_names_both() -> None:
    tree = tree_of('[site]\nid = "a"\n', '# x\n[site]\nid = "b"\n', "site = 1\n")
    assert [str(f) for f in tree.clashes] == [
        "1.toml:3: site.id: is also set in 0.toml:2, must be set once",
        "2.toml:1: site: is also set in 0.toml:1, must be set once",
    ]
    assert tree.data == {"site": {"id": "a"}}


def test_what_is_missing_is_where_it_should_be() -> None:
    tree = tree_of("\n[[driver]]\nname = 'radio'\n\n[driver.x]\n")
    assert tree.locate(("driver", 0, "type")) == ("0.toml", 2)
    assert tree.locate(("driver", 0, "x", "y", 3)) == ("0.toml", 5)
    assert tree.locate(("nothing",)) == ("0.toml", 1)
    assert Tree().locate(("nothing",)) == ("", 1)


def test_keys_are_named_as_people_read_them() -> None:
    tree = tree_of("[[driver]]\nname = 'radio'\n[[driver]]\n[[driver]]\nname = \"a\\u001bb\"\n")
    assert tree.name(("driver", 0, "listen")) == "driver[radio].listen"
    assert tree.name(("driver", 1, "listen")) == "driver[1].listen"
    assert tree.name(("driver", 2, "a\nb")) == "driver[2].'a\\nb'"
    assert tree.name(("0011223344556677", "00112233445566778899AABBCCDDEEFF")) == "0011223344556677.(hidden)"
