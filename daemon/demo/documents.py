"""A simulated scan station: small PDF documents, written into a hot folder as a scan program does."""

from pathlib import Path


def document(number: int, pages: int = 1) -> bytes:
    """A PDF with this number on each page: complete, with a cross-reference table, so that a strict reader opens it."""
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(pages))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode()]
    for page in range(pages):
        text = f"BT /F1 24 Tf 72 720 Td (Document {number}, page {page + 1} of {pages}) Tj ET".encode()
        content = 4 + 2 * page
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 "
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> /Contents %d 0 R >>" % content,
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for i, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % o for o in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def drop(folder: Path, number: int, pages: int = 1) -> Path:
    """Put a document into the hot folder under its final name, as by rename."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{number}.tmp"
    temporary.write_bytes(document(number, pages))
    final = folder / f"scan-{number:04d}.pdf"
    temporary.rename(final)
    return final
