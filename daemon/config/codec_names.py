"""What may stand as `codec` in a list of devices or a profile, and what is said of what may not."""

from pathlib import Path
from typing import Final

from torhaus.codecs.registry import CODECS, FAMILIES, is_codec, models
from torhaus.daemon.config.expect import did_you_mean, quote

LAYOUT: Final = ".toml"


def codec_fault(codec: str, scripts: Path) -> str | None:
    """What is wrong with the name of a codec."""
    if not codec.endswith((".js", LAYOUT)):
        return None if is_codec(codec) else _no_codec(codec)
    if codec.startswith("/") or ".." in Path(codec).parts or "\0" in codec:
        return f"is {quote(codec)}, must be a script inside {scripts}"
    try:
        if (scripts / codec).is_file():
            return None
        there = [str(p.relative_to(scripts)) for p in scripts.rglob("*" + Path(codec).suffix)]
    except OSError as e:
        return f"is {quote(codec)}, which cannot be looked for in {scripts}: {e.strerror}"
    return f"is {quote(codec)}, but there is no such file in {scripts}{did_you_mean(codec, there)}"


def _no_codec(codec: str) -> str:
    family = codec.partition(":")[0]
    if ":" in codec and family in FAMILIES:
        near = did_you_mean(codec, [f"{family}:{model}" for model in models(family)])
        return f"is {quote(codec)}, but {family} has no such model (torhaus codecs list shows them){near}"
    names = ", ".join([*sorted(CODECS), *(f"{f}:MODEL" for f in sorted(FAMILIES))])
    near = did_you_mean(codec, [*CODECS, *FAMILIES]) or _of_whom(codec)
    return f"is {quote(codec)}, must be one of {names}, a script (*.js) or a layout (*.toml){near}"


def _of_whom(model: str) -> str:
    """` (did you mean …?)` for a model as it is printed on the device, without its vendor."""
    from difflib import get_close_matches  # for faults only

    vendors = {each: f"{family}:{each}" for family in sorted(FAMILIES) for each in models(family)}
    near = get_close_matches(model[:64].lower().replace(" ", "-"), vendors, n=1, cutoff=0.8)
    return f" (did you mean {quote(vendors[near[0]])}?)" if near else ""
