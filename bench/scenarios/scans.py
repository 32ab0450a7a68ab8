"""Documents from a hot folder into the spool, and on to a target folder, hash compared.

The reference is what cannot be left out: read, sha256, write, fsync of the same bytes, alone.
"""

import hashlib
import importlib.util
import io
import os
import random
import time
from pathlib import Path
from typing import Final

from bench.processes import folder, wait_until
from bench.scenario import Figures, NotMeasured
from bench.site import MIB, Daemon

PATIENCE_S = 900.0
LOOK_S = 0.2
"""How often the hot folder is looked at here, and how long a document must have been quiet."""


PAGE: Final = (1654, 2339)
"""A4 at 200 dpi, as scan stations send it."""


def page(size_bytes: int) -> bytes:
    """A page in grey with the looks of a letter, as a JPEG of about this size. Raises NotMeasured."""
    from PIL import Image, ImageDraw

    rng, (width, height) = random.Random(7), PAGE
    image = Image.effect_noise(PAGE, 12).point([min(255, 110 + value) for value in range(256)])
    pen = ImageDraw.Draw(image)
    for line in range(200, height - 200, 48):
        for left in range(150, rng.randrange(300, width - 150), 22):
            pen.rectangle((left, line, left + rng.randrange(6, 18), line + rng.randrange(10, 28)), fill=20)
    for quality in range(95, 4, -3):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= size_bytes:
            return out.getvalue()
    raise NotMeasured(f"no JPEG of {size_bytes} bytes can be made of a page")


def pdf(number: int, size_bytes: int, picture: bytes = b"") -> bytes:
    """A one-page document of about this size, most of it one stream that cannot be compressed, or this JPEG."""
    noise = picture or os.urandom(max(1, size_bytes - 800))
    looks = b""
    if picture:
        looks = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8" % PAGE
        looks += b" /ColorSpace /DeviceGray /Filter /DCTDecode "
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
        b"<< %s/Number %d /Length %d >>\nstream\n%s\nendstream" % (looks, number, len(noise), noise),
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


def alone(documents: list[Path], target: Path) -> float:
    """Seconds for what cannot be left out, one document after the other."""
    target.mkdir()
    began = time.perf_counter()
    for path in documents:
        data = path.read_bytes()
        hashlib.sha256(data).digest()
        with (target / path.name).open("wb") as f:
            f.write(data)
            os.fsync(f.fileno())
        fd = os.open(target, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    return time.perf_counter() - began


def scans(
    count: int, size_bytes: int, *, is_delivered: bool, is_sealed: bool = False, is_picture: bool = False
) -> Figures:
    """One run: `count` documents that are all in the hot folder when the daemon starts.

    Until they are out of it, or `is_delivered`: until they are in the target folder, too. `is_sealed`: the spool is
    encrypted. `is_picture`: each is a scanned page, else of no picture at all.
    """
    if importlib.util.find_spec("pikepdf") is None:
        raise NotMeasured("the extra 'scans' (pikepdf, Pillow) is not installed")
    with folder() as place:
        hot, archive = place / "hot", place / "archive"
        hot.mkdir()
        if is_delivered:
            archive.mkdir()  # else the target is down, and documents wait for it in the spool
        documents = [hot / f"scan-{n:05d}.pdf" for n in range(count)]
        picture = page(size_bytes) if is_picture else b""
        for n, path in enumerate(documents):
            path.write_bytes(pdf(n, size_bytes, picture))
        alone_s = alone(documents, place / "alone")
        more = (
            f"[scan]\nspool_key_files = [{_key(place) if is_sealed else ''}]\n"
            f'[[scan.station]]\nname = "counter"\ntype = "folder"\npath = "{hot}"\ntarget = "archive"\n'
            f"scan_interval_s = {LOOK_S}\nstable_s = {LOOK_S}\n"
            f'[[scan.target]]\nname = "archive"\ntype = "folder"\npath = "{archive}"\n'
        )
        with Daemon(place, 1, None, more=more) as daemon:
            daemon.start()
            before, began = daemon.usage(), time.perf_counter()

            def is_done() -> bool:
                if is_delivered:
                    return sum(1 for path in archive.rglob("*.pdf") if path.is_file()) >= count
                return not any(path.is_file() for path in hot.rglob("*"))

            wait_until(is_done, f"{count} documents where they belong", PATIENCE_S)
            took = time.perf_counter() - began
            used = daemon.usage().since(before)
            rate = count * size_bytes / MIB / took
            return {
                "documents_per_s": count / took,
                "mib_per_s": rate,
                "alone_mib_per_s": count * size_bytes / MIB / alone_s,
                "share_of_alone_ratio": alone_s / took,
                "daemon_cpu_ms": (used.loop_s + used.threads_s) / count * 1e3,
                "rss_mib": daemon.rss_mib(),
                "peak_mib": daemon.rss_mib("VmHWM"),
            }


def huge(size_bytes: int, *, is_sealed: bool = False) -> Figures:
    """One file of no known type in a hot folder (a sparse one): memory must not grow with it."""
    with folder() as place:
        hot = place / "hot"
        hot.mkdir()
        more = (
            f"[scan]\nmin_free_bytes = 0\nspool_key_files = [{_key(place) if is_sealed else ''}]\n"
            f'[[scan.station]]\nname = "counter"\ntype = "folder"\npath = "{hot}"\ntarget = "archive"\n'
            f'scan_interval_s = {LOOK_S}\nstable_s = {LOOK_S}\nmax_bytes = 100000000000\nunknown_types = "pass"\n'
            '[[scan.target]]\nname = "archive"\ntype = "folder"\npath = "/nowhere"\n'
        )
        with Daemon(place, 1, None, more=more) as daemon:
            daemon.start()
            rest, began = daemon.rss_mib(), time.perf_counter()
            with (place / "coming").open("wb") as file:
                file.truncate(size_bytes)
            (place / "coming").rename(hot / "huge.bin")
            wait_until(lambda: not (hot / "huge.bin").exists(), "one huge document taken in", PATIENCE_S)
            took = time.perf_counter() - began
            peak = daemon.rss_mib("VmHWM")
            return {
                "mib_per_s": size_bytes / MIB / took, "rss_mib": rest, "peak_mib": peak, "grown_mib": peak - rest,
            }  # fmt: skip


def _key(place: Path) -> str:
    """A key file as the configuration names it."""
    path = place / "spool.key"
    path.write_text(os.urandom(32).hex())
    path.chmod(0o600)
    return f'"{path}"'
