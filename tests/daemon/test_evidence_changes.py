import asyncio
from pathlib import Path

from tests.daemon.evidence_scene import read
from tests.daemon.page_scene import home_of
from tests.daemon.scans_fakes import SITE, Bench, FakeClock
from torhaus.daemon.evidence.changes import hashes_of
from torhaus.daemon.evidence.log import LogClass, class_of
from torhaus.daemon.page.users import Role, User, Users, account_of, hashed, write_users
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.room import ScanRoom


def test_changes_of_the_configuration_are_entered_once(tmp_path: Path) -> None:
    first, part = tmp_path / "torhaus.toml", tmp_path / "conf.d" / "scan.toml"
    part.parent.mkdir()
    first.write_text("a")
    part.write_text("b")

    def entered() -> list[tuple[str, object, object]]:
        entries = [read(tmp_path).get(n) for n in range(1, len(read(tmp_path).entries) + 1)]
        return [(str(e.data["name"]), e.data["was"], e.data["sha256"]) for e in entries if e.event == "config.file"]

    def again() -> None:
        async def go() -> None:
            b = Bench(tmp_path)
            queue = ScanQueue(b.config, tmp_path / "state", SITE, b.clock, b.events.append, files=[first, part])
            await queue.open()
            await queue.close()

        asyncio.run(go())

    again()
    a, b = (hashes_of([path])[name] for path, name in ((first, "torhaus.toml"), (part, "conf.d/scan.toml")))
    assert entered() == [("conf.d/scan.toml", None, b), ("torhaus.toml", None, a)]
    again()
    assert len(entered()) == 2
    first.write_text("c")
    part.unlink()
    again()
    c = hashes_of([first])["torhaus.toml"]
    assert entered()[2:] == [("conf.d/scan.toml", b, None), ("torhaus.toml", a, c)]
    keys = [read(tmp_path).get(n) for n in read(tmp_path).seqs("config.key")]
    assert len(keys) == 1


def test_who_may_sign_in_and_may_no_more(tmp_path: Path) -> None:
    path = tmp_path / "page.users.toml"

    def user(name: str, role: Role, password: str) -> User:
        return User(name, role, hashed(password, cost=(1 << 4, 1, 1)))

    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.queue.evidence.people = Users(path).rights
            anna, bea = user("anna", Role.VIEW, "one two three"), user("bea", Role.ADMIN, "four five six")
            steps: list[dict[str, User]] = [
                {}, {"anna": anna, "bea": bea}, {"anna": user("anna", Role.VIEW, "seven eight"), "bea": bea},
                {"anna": User("anna", Role.OPERATE, anna.scrypt)}, {"anna": User("anna", Role.OPERATE, anna.scrypt)},
            ]  # fmt: skip
            for users in steps:
                write_users(path, users)
                await b.queue.evidence.record()
            path.write_text("no TOML [")
            await b.queue.evidence.record()  # nobody can sign in, and nobody's rights have changed
            path.unlink()
            await b.queue.evidence.record()
            assert (await b.queue.verify_evidence()).faults == []

    asyncio.run(go())
    journal = read(tmp_path)
    found = [journal.get(n) for n in range(1, len(journal.entries) + 1)]
    a, b = account_of("anna"), account_of("bea")
    rights = [
        (e.event, *(e.data[key] for key in ("user", "role", "was", "password")))
        for e in found
        if e.event.startswith("rights.user")
    ]
    assert sorted(rights[:2]) == sorted(
        [("rights.user_added", a, "view", None, False), ("rights.user_added", b, "admin", None, False)]
    )
    assert rights[2] == ("rights.user_changed", a, "view", "view", True)
    assert sorted(rights[3:5]) == sorted(
        [("rights.user_changed", a, "operate", "view", True), ("rights.user_removed", b, None, "admin", False)]
    )
    assert rights[5:] == [("rights.user_removed", a, None, "operate", False)]
    assert class_of("rights.user_added") is LogClass.CONFIG
    assert not any("anna" in str(e.data) for e in found)


def test_the_daemon_looks_at_its_own_users(tmp_path: Path) -> None:
    scan = f'[[scan.station]]\nname = "a"\ntype = "folder"\npath = "{tmp_path}/in"\ntarget = "b"\n'
    scan += f'[[scan.target]]\nname = "b"\ntype = "folder"\npath = "{tmp_path}/out"\n'
    room = ScanRoom(home_of(tmp_path, scan).load(), FakeClock())
    people = room.queue.evidence.people()
    assert people is not None
    assert people[account_of("poststelle")].startswith("operate:")
