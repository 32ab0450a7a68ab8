"""Topic templates: `torhaus/{site}/{device}/{kind}`, checked when the config is read, filled in for each record.

Source: MQTT Version 5.0, OASIS Standard, 7 March 2019, 4.7 (topic names), 1.5.4 (strings). Templates: template.py
of the forwarders.
"""

from collections.abc import Iterable
from typing import Final

from torhaus.daemon.forward.template import MESSAGE_KEYS, STATUS_KEYS, Names, escaper, sample_of

BACKLOG_KEYS: Final = STATUS_KEYS
"""Placeholders of the topic for packed late records, which are of several devices."""


def check_template(template: str, keys: Iterable[str] = MESSAGE_KEYS) -> None:
    """Raises ValueError that says what is wrong and what would be right."""
    literal = sample_of(template, keys, "topic", "torhaus/{site}/…")
    for wildcard in "+#":
        if wildcard in literal:
            raise ValueError(
                f"{wildcard} is a wildcard, nothing can be published to it; name the level, as in {{kind}}"
            )
    if literal.startswith("$"):
        raise ValueError("topics that begin with $ belong to the broker; begin with a name, for example torhaus/")
    if "" in literal.split("/"):
        raise ValueError("a topic has no empty level: remove the leading, trailing or doubled /")
    if any(not c.isprintable() for c in literal):
        raise ValueError("a topic holds printable characters only")


escape: Final = escaper("/+#$%", r"\w.:~-")
"""A value as part of a level."""


def fill(template: str, **values: str) -> str:
    """A template that has passed `check_template`, filled in once (status topic)."""
    return template.format_map({key: escape(value) for key, value in values.items()})


class Topics(Names):
    """The topic of each record. `template` has passed `check_template`."""

    def __init__(self, template: str) -> None:
        super().__init__(template, escape)
