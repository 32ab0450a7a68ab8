"""`torhaus page`: who may sign in to the web page. Passwords are never on a command line, only hashes are kept."""

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_IOERR, EX_USAGE, configured
from torhaus.daemon.cli.show import table
from torhaus.daemon.main import add_config

if TYPE_CHECKING:  # imported by the commands: `torhaus --help` needs none of it
    from torhaus.daemon.config.load import Loaded
    from torhaus.daemon.page.users import User

EX_CANTCREAT = 73


def add(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command and its own commands."""
    parser = subparsers.add_parser("page", help="who may sign in to the web page", description=__doc__)
    commands = parser.add_subparsers(dest="page_command", required=True, metavar="COMMAND")
    one = commands.add_parser("add-user", help="let somebody in, or give a new password or role")
    one.add_argument("name", metavar="NAME")
    one.add_argument(
        "--role", choices=("view", "operate", "admin"), help="default: view, or as it was; operate: scans; admin: all"
    )
    one.add_argument("--make", action="store_true", help="make the password and print it, instead of asking for one")
    out = commands.add_parser("remove-user", help="let somebody in no more, at once")
    out.add_argument("name", metavar="NAME")
    commands.add_parser("users", help="who may sign in, with which role, and as which account in the evidence journal")
    for each in commands.choices.values():
        add_config(each)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0; 64 for a name or password that cannot be, 73 when the file cannot be written, 74 read, 78 configuration."""
    from torhaus.daemon.page.users import UsersFault, account_of, read_users

    try:
        loaded = configured(args.config)
        path = Path(loaded.http.users_file)
        users = read_users(path)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except UsersFault as e:
        print(e, file=sys.stderr)
        return EX_IOERR
    if args.page_command == "users":
        rows = [(u.name, u.role.name.lower(), account_of(u.name)) for u in users.values()]
        print(table(("NAME", "ROLE", "ACCOUNT"), rows) if rows else f"nobody: {path} names none")
        return 0
    changed = _changed(args, users)
    if isinstance(changed, int):
        return changed
    try:
        _write(path, users, loaded)
    except OSError as e:
        print(f"torhaus page: {path} cannot be written: {e.strerror}", file=sys.stderr)
        return EX_CANTCREAT
    print(changed)
    return 0


def _changed(args: argparse.Namespace, users: "dict[str, User]") -> str | int:
    """Change `users`; what was done, or an exit code."""
    from torhaus.daemon.page.users import NAME_WORDS, Role, User, hashed, is_name

    if args.page_command == "remove-user":
        if users.pop(args.name, None) is None:
            print(f"torhaus page: nobody is called {args.name!r}", file=sys.stderr)
            return EX_USAGE
        return f"{args.name} may not sign in any more"
    if not is_name(args.name):
        print(f"torhaus page: a name must have {NAME_WORDS}", file=sys.stderr)
        return EX_USAGE
    before = users.get(args.name)
    role = Role[args.role.upper()] if args.role else before.role if before is not None else Role.VIEW
    password = _password(made=args.make)
    if password is None:
        return EX_USAGE
    users[args.name] = User(args.name, role, hashed(password))
    said = f"\nthe password is {password}" if args.make else ""
    return f"{args.name} may sign in with the role {role.name.lower()}{said}"


def _password(*, made: bool) -> str | None:
    """A password: made, asked for twice on a terminal, or the first line of standard input; None when it is none."""
    from torhaus.daemon.page.users import MAX_PASSWORD, MIN_PASSWORD, made_password

    if made:
        return made_password()
    if sys.stdin.isatty():
        found = getpass.getpass("Password: ")
        if found != getpass.getpass("Once more: "):
            print("torhaus page: the two are not the same", file=sys.stderr)
            return None
    else:
        found = sys.stdin.readline(MAX_PASSWORD + 2).rstrip("\r\n")
    if not MIN_PASSWORD <= len(found) <= MAX_PASSWORD:
        print(f"torhaus page: a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", file=sys.stderr)
        return None
    return found


def _write(path: Path, users: "dict[str, User]", loaded: "Loaded") -> None:
    """Write the file so that the service can read it: it belongs to whom the store belongs. Raises OSError."""
    from torhaus.daemon.page.users import write_users

    write_users(path, users)
    store = Path(loaded.store.path)
    if os.geteuid() == 0 and store.is_dir():
        owner = store.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
