from pathlib import Path

from tests.daemon.page_scene import CHEAP
from torhaus.daemon.page import sessions
from torhaus.daemon.page.sessions import IDLE_S, LONGEST_S, MAX_SESSIONS, Sessions
from torhaus.daemon.page.users import Role, User, Users, hashed, write_users


class Scene:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "u.toml"
        self.now_s = 1000.0
        self.write("abc")
        self.users = Users(self.path)
        self.all = Sessions(self.users, lambda: int(self.now_s * 1e9))

    def write(self, password: str, role: Role = Role.VIEW) -> None:
        write_users(self.path, {"a": User("a", role, hashed(password, cost=CHEAP))})

    def begin(self) -> str:
        user = self.users.find("a")
        assert user is not None
        return self.all.begin(user)


def test_a_session_has_a_token_of_its_own(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    one, other = scene.begin(), scene.begin()
    found, also = scene.all.find(one), scene.all.find(other)
    assert found is not None
    assert also is not None
    assert found[0].csrf != also[0].csrf
    assert found[1].name == "a"
    assert len(scene.all) == 2
    for wrong in ("", "x", one[:-1], one + "x", "x" * 10_000, "\ud800"):
        assert scene.all.find(wrong) is None
    assert not any(one.encode() in key for key in scene.all._all)  # who reads our memory has no cookie


def test_it_ends_when_nobody_does_anything(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    token = scene.begin()
    scene.now_s += IDLE_S - 1
    assert scene.all.find(token, is_person=False) is not None  # the page looks at itself: that is nobody
    scene.now_s += 2
    assert scene.all.find(token) is None
    assert len(scene.all) == 0


def test_it_ends_after_a_day_whatever_one_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    token = scene.begin()
    for _ in range(int(LONGEST_S / 1800)):
        assert scene.all.find(token) is not None
        scene.now_s += 1800
    scene.now_s += 1
    assert scene.all.find(token) is None


def test_it_ends_with_a_new_password_or_when_somebody_is_removed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    token = scene.begin()
    scene.write("other")
    assert scene.all.find(token) is None
    token = scene.begin()
    write_users(scene.path, {})
    assert scene.all.find(token) is None


def test_signing_out(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    token = scene.begin()
    scene.all.end("x")
    scene.all.end(token)
    assert scene.all.find(token) is None


def test_there_are_not_too_many(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, second = scene.begin(), scene.begin()
    assert scene.all.find(first) is not None
    for _ in range(MAX_SESSIONS - 1):
        scene.begin()
    assert len(scene.all) == MAX_SESSIONS
    assert scene.all.find(second) is None  # the one that is unused the longest
    assert scene.all.find(first) is not None


def test_forms_of_strangers_are_bound_to_their_cookie(tmp_path: Path) -> None:
    one, other = Scene(tmp_path).all, Scene(tmp_path).all
    assert one.form_token("c") == one.form_token("c") != one.form_token("d")
    assert one.form_token("c") != other.form_token("c")
    assert len(one.form_token("\ud800" * 9999)) == 64
    assert sessions.IDLE_S < sessions.LONGEST_S
