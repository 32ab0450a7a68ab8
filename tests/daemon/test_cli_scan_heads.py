import argparse

import pytest

from torhaus.daemon.cli import scan_heads, scans
from torhaus.daemon.scans.uploads import heads
from torhaus.daemon.scans.uploads.heads import Head
from torhaus.daemon.scans.uploads.pages import Heads


def ask(monkeypatch: pytest.MonkeyPatch, answers: list[Heads | int], *more: str) -> tuple[int, list[str]]:
    asked: list[str] = []

    def answer(config: object, path: str, kind: object) -> Heads | int:
        asked.append(path)
        return answers.pop(0)

    monkeypatch.setattr(scans, "ask", answer)
    monkeypatch.setattr(heads, "HEADS_AT_ONCE", 2)
    parser = argparse.ArgumentParser()
    scan_heads.add(parser.add_subparsers())
    args = parser.parse_args(["heads", "rathaus", *more])
    return int(args.run(args)), asked


def of(*numbers: int, stores: tuple[str, ...] = ("aa",)) -> Heads:
    return Heads(stores=list(stores), heads=[Head(n, "ab" * 32) for n in numbers])


def test_all_of_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, asked = ask(monkeypatch, [of(1, 3), of(4)])
    assert code == 0
    assert capsys.readouterr().out == "".join(f"{n}:{'ab' * 32}\n" for n in (1, 3, 4))
    assert asked == ["/scans/heads?station=rathaus&store=&after=0", "/scans/heads?station=rathaus&store=aa&after=3"]


def test_one_of_several_stores(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(monkeypatch, [of(stores=("aa", "bb"))])[0] == 64
    assert "--store: aa, bb" in capsys.readouterr().err
    code, asked = ask(monkeypatch, [of(7, stores=("aa", "bb"))], "--store", "bb")
    assert (code, asked) == (0, ["/scans/heads?station=rathaus&store=bb&after=0"])
    assert ask(monkeypatch, [of(stores=())])[0] == 0
    assert ask(monkeypatch, [69])[0] == 69
