"""Subjects: templates checked when the config is read; values that become one token and nothing else. Pure.

Source: NATS documentation, "Subject-Based Messaging": tokens between dots; `*` and `>` are wildcards; no white space;
what begins with `$` is the server's own.
"""

from collections.abc import Iterable
from typing import Final

from torhaus.daemon.forward.template import MESSAGE_KEYS, Names, escaper, sample_of

MAX_SUBJECT_BYTES: Final = 1024
"""A server takes lines of 4,096 bytes (max_control_line), with an inbox and sizes behind the subject."""


def check_subject(template: str, keys: Iterable[str] = MESSAGE_KEYS) -> None:
    """Raises ValueError that says what is wrong and what would be right."""
    literal = sample_of(template, keys, "subject", "torhaus.{site}.…")
    if any(c.isspace() or not c.isprintable() for c in literal):
        raise ValueError("a subject holds no white space and printable characters only")
    if "" in literal.split("."):
        raise ValueError("a subject has no empty token: remove the leading, trailing or doubled dot")
    for wildcard in "*>":
        if wildcard in literal:
            raise ValueError(f"{wildcard} is a wildcard, nothing can be sent to it; name the token, as in {{kind}}")
    if literal.startswith("$"):
        raise ValueError("subjects that begin with $ belong to the server; begin with a name, for example torhaus.")


escape: Final = escaper(".*>$% ", r"\w:~-")
"""A value as part of a token."""


def fill(template: str, **values: str) -> str:
    """A template that has passed `check_subject`, filled in once."""
    return template.format_map({key: escape(value) for key, value in values.items()})


class Subjects(Names):
    """The subject of each record. `template` has passed `check_subject`."""

    def __init__(self, template: str) -> None:
        super().__init__(template, escape)
