"""PDFs of pictures as scanners make them, whole and cut off."""

import io
from typing import Any

import pikepdf
from PIL import Image, ImageDraw


def page(size: tuple[int, int] = (400, 300), mode: str = "L") -> Image.Image:
    """Something like a letter."""
    image = Image.new(mode, size, "white")
    draw = ImageDraw.Draw(image)
    for y in range(20, size[1] - 20, 12):
        for x in range(30, size[0] - 30, 17):
            draw.rectangle((x, y, x + 5 + (x * y) % 11, y + 6), fill="black")
    return image


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


def fax_data(image: Image.Image, compression: str = "group4", *, ended: bool = True) -> bytes:
    """The only strip of a TIFF: what a PDF holds of it."""
    data = saved(image, "TIFF", compression=compression, tiffinfo={278: image.height})
    with Image.open(io.BytesIO(data)) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]
        (at,), (count,) = tags[273], tags[279]
    strip = data[at : at + count]
    bits = "".join(f"{byte:08b}" for byte in strip).rstrip("0")
    mark = "000000000001" * 2
    if compression == "group4" and bits.endswith(mark) and not ended:
        bits = bits.removesuffix(mark)
        bits += "0" * (-len(bits) % 8)
        strip = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return strip


def pdf_of(data: bytes, size: tuple[int, int] = (400, 300), more: int = 0, **entries: Any) -> bytes:
    """One page with one picture whose stream has these bytes."""
    pdf = pikepdf.Pdf.new()
    pdf.add_blank_page(page_size=(595, 842))
    image = pikepdf.Stream(
        pdf, data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=size[0], Height=size[1] + more,
        **{"ColorSpace": pikepdf.Name.DeviceGray, "BitsPerComponent": 8} | entries,
    )  # fmt: skip
    pdf.pages[-1].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=pdf.make_indirect(image)))
    out = io.BytesIO()
    pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def segment(number: int, kind: int, data: bytes, *, length: int | None = None) -> bytes:
    """One of JBIG2, on page 1."""
    head = number.to_bytes(4, "big") + bytes([kind, 0, 1])
    return head + (len(data) if length is None else length).to_bytes(4, "big") + data
