"""What somebody elsewhere needs to see that a document is the one that was taken in: all but the document itself."""

from typing import Final

import msgspec

from torhaus.daemon.evidence.config import Procedure
from torhaus.daemon.evidence.note_xml import note_xml
from torhaus.daemon.evidence.notes import note_of, scan_of
from torhaus.daemon.evidence.proofs import path_to, sha256
from torhaus.daemon.evidence.roots import Made, leaves_of, make_root, roots_of
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.evidence import Root, Signer
from torhaus.daemon.scans.states import State

SUFFIXES: Final = {
    "application/pdf": ".pdf",
    "image/tiff": ".tif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
}


class Exported(msgspec.Struct, frozen=True):
    """Files by name, and the document's hash and the name under which its bytes go beside them.

    `document` is empty where the bytes were deleted here: the hash and what happened to them can still be proved.
    """

    files: dict[str, str]
    document: str
    sha256: str
    stamped: dict[str, bytes] = {}  # roots that have a time stamp, and the stamps


def export(
    tx: Tx, scan_id: str, account: str, procedure: Procedure, signer: Signer, at_ns: int
) -> tuple[Exported, Made]:
    """Enter that it is exported, put everything under a root, and prove each entry. Raises KeyError."""
    scan = scan_of(tx, scan_id)
    note = note_of(tx, scan, procedure)
    json, xml = msgspec.json.format(msgspec.json.encode(note), indent=1), note_xml(note)
    tx.note(scan, "use.exported", at_ns, account=account, note_sha256=sha256(json), note_xml_sha256=sha256(xml))
    made = make_root(tx, signer, at_ns)
    assert made is not None, "the entry was just made"
    rows = tx.conn.execute("SELECT seq, entry, hash FROM evidence WHERE scan = ? ORDER BY seq", (scan_id,)).fetchall()
    roots = roots_of(tx, [seq for seq, _, _ in rows])
    lines = []
    for root in roots:
        leaves = leaves_of(tx, root)
        for seq, entry, digest in rows:
            if root.first <= seq <= root.last:
                path = msgspec.json.encode([step.hex() for step in path_to(seq - root.first, leaves)]).decode()
                place = f'"index":{seq - root.first},"path":{path},"root":{root.seq}'
                lines.append(f'{{"entry":{entry.decode()},"hash":"{digest.hex()}",{place}}}\n')
    files = {
        "note.json": json.decode(),
        "note.xml": xml.decode(),
        "entries.jsonl": "".join(lines),
        "roots.jsonl": "".join(msgspec.json.encode(root, order="sorted").decode() + "\n" for root in roots),
        "key.txt": signer.public + "\n",
    }
    document = "" if scan.state is State.PURGED else "document" + SUFFIXES.get(scan.media_type, ".bin")
    return Exported(files, document, scan.sha256, stamped_files(tx, roots)), made


def stamped_files(tx: Tx, roots: list[Root]) -> dict[str, bytes]:
    """`root-<number>.json` and `.tsr` of those that have a stamp, as `openssl ts -verify` takes them."""
    files: dict[str, bytes] = {}
    for root in roots:
        signed, stamp = tx.conn.execute("SELECT signed, stamp FROM root WHERE seq = ?", (root.seq,)).fetchone()
        if stamp is not None:
            files |= {f"root-{root.seq}.json": signed, f"root-{root.seq}.tsr": stamp}
    return files
