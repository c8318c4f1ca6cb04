"""Where the built styles and scripts are, and under which name a browser asks for each."""

from pathlib import Path

import msgspec

BUILT_FOLDER = Path(__file__).parent / "static" / "built"
STATIC_URL = "/static/"


class AssetsMissing(RuntimeError):
    """The styles and scripts were not built, or the asked one is not among them."""


class Manifest(msgspec.Struct, frozen=True):
    """What the last build wrote.

    `inputs` is the SHA-256 of everything the build read; `files` maps a plain name such as
    `panel.css` to the name with its content's hash, so that browsers may keep it for ever.
    """

    inputs: str
    files: dict[str, str]

    def url(self, name: str) -> str:
        """Give the address of a built file; raises AssetsMissing for an unknown name."""
        try:
            return STATIC_URL + self.files[name]
        except KeyError:
            known = ", ".join(sorted(self.files))
            raise AssetsMissing(f"There is no built file “{name}”. There are: {known}.") from None


def read_manifest(folder: Path = BUILT_FOLDER) -> Manifest:
    """Read the manifest of the last build; raises AssetsMissing where there is none."""
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise AssetsMissing(
            "The styles and scripts of the pages are not built yet. Run: make assets"
        ) from None
    except msgspec.DecodeError:
        raise AssetsMissing(
            f"{folder / 'manifest.json'} cannot be read. Delete the folder, then run: make assets"
        ) from None
