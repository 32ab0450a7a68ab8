"""Whether configuration and rights are what they were last time: what has changed is entered into the journal."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from torhaus.daemon.scans.db import Tx


def hashes_of(files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 (hex) by name, with the folder where that is conf.d. A file that has gone is left out. Raises OSError."""
    found = {}
    for path in files:
        name = f"{path.parent.name}/{path.name}" if path.parent.name == "conf.d" else path.name
        try:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            continue
    return found


def enter_changes(tx: Tx, now: dict[str, str], at_ns: int, kind: str = "file") -> int:
    """Compare with what was there last, enter what is new, changed or gone, remember. How many entries were made."""
    prefix = f"{kind}/"
    rows = tx.conn.execute("SELECT name, sha256 FROM seen WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
    was = {name.removeprefix(prefix): digest for name, digest in rows}
    changed = sorted(name for name in was | now if was.get(name) != now.get(name))
    for name in changed:
        tx.enter(f"config.{kind}", at_ns, name=name, sha256=now.get(name), was=was.get(name))
        if name in now:
            tx.conn.execute("INSERT OR REPLACE INTO seen (name, sha256) VALUES (?, ?)", (prefix + name, now[name]))
        else:
            tx.conn.execute("DELETE FROM seen WHERE name = ?", (prefix + name,))
    return len(changed)


def enter_rights(tx: Tx, now: dict[str, str], at_ns: int) -> int:
    """The same for who may sign in to the page: `role:fingerprint` by pseudonym. How many entries were made.

    BSI TR-03138 V1.5, A.SC.11 a): changes of accounts and rights.
    """
    prefix = "user/"
    rows = tx.conn.execute("SELECT name, sha256 FROM seen WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
    was = {name.removeprefix(prefix): text for name, text in rows}
    changed = sorted(user for user in was | now if was.get(user) != now.get(user))
    for user in changed:
        old, new = was.get(user, ""), now.get(user, "")
        role, before = new.partition(":")[0] or None, old.partition(":")[0] or None
        what = "added" if not old else "changed" if new else "removed"
        is_new_password = bool(old and new) and old.partition(":")[2] != new.partition(":")[2]
        tx.enter(f"rights.user_{what}", at_ns, user=user, role=role, was=before, password=is_new_password)
        if new:
            tx.conn.execute("INSERT OR REPLACE INTO seen (name, sha256) VALUES (?, ?)", (prefix + user, new))
        else:
            tx.conn.execute("DELETE FROM seen WHERE name = ?", (prefix + user,))
    return len(changed)
