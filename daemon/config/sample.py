"""The commented samples that ship with torhaus: what `torhaus sample` prints."""

from pathlib import Path
from typing import Final

MAIN: Final = "torhaus"


def samples_folder() -> Path:
    """`config/` of the source tree, or `torhaus/daemon/samples/` of an installed package."""
    daemon = Path(__file__).resolve().parents[1]
    packaged = daemon / "samples"
    return packaged if packaged.is_dir() else daemon.parent / "config"


def samples(folder: Path | None = None) -> dict[str, Path]:
    """Every sample by kind: `torhaus`, `devices`, `drivers/sml`, `forwarders/mqtt` and so on; `torhaus` comes first."""
    root = folder or samples_folder()
    found = {
        p.relative_to(root).as_posix().removesuffix(".sample").removesuffix(".toml"): p
        for p in sorted(root.rglob("*.toml*"))
    }
    return {MAIN: found.pop(MAIN), **found} if MAIN in found else found


def find(kind: str, among: dict[str, Path]) -> list[str]:
    """The samples that a person means by `drivers/sml`, `sml`, `devices.toml`, or `drivers` for all of them."""
    wanted = kind.strip("/").removesuffix(".toml")
    if wanted in among:
        return [wanted]
    named = [name for name in among if name.rpartition("/")[2] == wanted]
    return named if len(named) == 1 else [name for name in among if name.startswith(f"{wanted}/")]
