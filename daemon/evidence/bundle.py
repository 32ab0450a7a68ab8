"""The export of one document as a ZIP file: the document, its note, its entries with proofs, key and verifier."""

import contextlib
import sqlite3
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from torhaus.daemon.evidence.export import Exported
from torhaus.daemon.evidence.standalone import standalone
from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk
from torhaus.daemon.scans.evidence import KeyUnusable
from torhaus.daemon.scans.sealed import Content, Unreadable
from torhaus.daemon.scans.spool import blob_path, content_at
from torhaus.daemon.scans.spool_keys import Row, SpoolKeys, key_in

_FIRST: Final = (1980, 1, 1, 0, 0, 0)
README: Final = """\
Dieser Ordner belegt, dass das Dokument unveraendert das ist, was die Scanstation uebergeben hat.
This folder shows that the document is, unchanged, what the scan station handed over.

  document.*       das Dokument; fehlt, wenn es hier geloescht wurde: entries.jsonl sagt, wann und warum
                   the document; not there if it was deleted here: entries.jsonl says when and why
  note.json, .xml  Transfervermerk; was nur ein Mensch sagen kann, ist "open", bis es jemand gesagt hat
                   transfer note; what only a person can say is "open" until somebody has said it
  entries.jsonl    was mit ihm geschah, mit Beweis zu einer signierten Wurzel
                   what happened to it, with proofs to a signed root
  roots.jsonl      die Wurzeln / the roots
  root-N.json, .tsr  eine Wurzel und ihr Zeitstempel / a root and its time stamp:
                   openssl ts -verify -data root-N.json -in root-N.tsr -CAfile CA.pem
  key.txt          oeffentlicher Schluessel: mit dem vergleichen, der bei der Einrichtung notiert wurde
                   public key: compare it with the one that was written down when the box was set up
  verify.py        python3 verify.py . --key SCHLUESSEL
"""


class NoDocument(Exception):  # noqa: N818 - a fact
    """The document's bytes cannot be had here."""


def write_bundle(out: BinaryIO, exported: Exported, scans: Path, key_files: Sequence[str] = ()) -> None:
    """Write the ZIP. `scans`: the folder of the scan store. Raises NoDocument, OSError."""
    with zipfile.ZipFile(out, "w") as archive:
        if exported.document:
            _copy(archive, exported, scans, key_files)
        for name, text in (
            exported.files | exported.stamped | {"verify.py": standalone(), "README.txt": README}
        ).items():
            archive.writestr(zipfile.ZipInfo(name, _FIRST), text, zipfile.ZIP_DEFLATED)


def _content(path: Path, scans: Path, key_files: Sequence[str]) -> Content:
    """Beside the daemon, or without it."""

    def lookup(ref: bytes) -> Row | None:
        with contextlib.closing(sqlite3.connect(f"{(scans / 'scans.db').as_uri()}?mode=ro", uri=True)) as conn:
            return key_in(conn, ref)

    keys = SpoolKeys(key_files)
    keys.load(lookup)
    return content_at(Disk(), path, keys)


def _copy(archive: zipfile.ZipFile, exported: Exported, scans: Path, key_files: Sequence[str]) -> None:
    try:
        file = _content(blob_path(scans, exported.sha256), scans, key_files).open("rb", buffering=0)
    except PermissionError:
        raise NoDocument("the document cannot be read: be root, or the user torhaus") from None
    except FileNotFoundError:
        raise NoDocument("the document's bytes are no longer here") from None
    except (Unreadable, KeyUnusable) as error:
        raise NoDocument(f"the document cannot be opened: {error}") from None
    with file as source:
        info = zipfile.ZipInfo(exported.document, _FIRST)
        with archive.open(info, "w", force_zip64=True) as target:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
