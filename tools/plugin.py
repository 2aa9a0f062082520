#!/usr/bin/env python3
"""Stage the QGIS plugin in a folder, or pack it for the plugin portal.

    tools/plugin.py stage DIR    writes DIR/vidtag_qgis; QGIS finds it with QGIS_PLUGINPATH=DIR
    tools/plugin.py zip OUT      writes the zip

One top folder, ``vidtag_qgis``: the package, metadata.txt, LICENSE, the resources that it needs, and the engine's source in ``engine_source``,
which the managed environment is made from. No weights, no demo.

Standard library only.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vidtag_qgis.engine_client.environment_plan import source_files  # noqa: E402 - found by the line above, wherever this is run from

NAME = "vidtag_qgis"
LIMIT_BYTES = 25 * 1024 * 1024
RESOURCES = ("icon.svg", "icons/*.svg", "models/*.model3", "help/*.html", "styles/*.qml", "engine/*.json", "i18n/*.ts", "i18n/*.qm")
SUFFIXES = {".py", ".pyi", ".typed", ".txt", ".svg", ".html", ".qml", ".model3", ".json", ".geojson", ".toml", ".md", ".ts", ".qm", ""}
_EPOCH = (2020, 1, 1, 0, 0, 0)
"""Time of every entry in the zip: the same sources give the same bytes."""


def files() -> dict[str, Path]:
    """Every file of the plugin: its path inside the top folder, and where it comes from."""
    found = {path.relative_to(ROOT / NAME).as_posix(): path for path in (ROOT / NAME).rglob("*.py")}
    found.update({name: ROOT / name for name in ("metadata.txt", "LICENSE")})
    found.update({f"engine_source/{Path(inside).as_posix()}": ROOT / inside for inside in source_files(str(ROOT))})
    for pattern in RESOURCES:
        matching = sorted((ROOT / "resources").glob(pattern))
        if not matching:
            sys.exit(f"resources/{pattern} is missing: the plugin needs it.")
        found.update({path.relative_to(ROOT).as_posix(): path for path in matching})
    for inside, path in found.items():
        if not path.is_file():
            sys.exit(f"{path.relative_to(ROOT)} is missing: the plugin needs it.")
        if Path(inside).suffix not in SUFFIXES:
            sys.exit(f"{path.relative_to(ROOT)} has no place in the plugin.")
    return dict(sorted(found.items()))


def stage(folder: Path) -> Path:
    """Write the plugin into ``folder``, in place of an earlier one, and return its own folder."""
    target = folder / NAME
    if target.exists() and not (target / "metadata.txt").is_file():
        sys.exit(f"{target} is there and is no staged plugin: choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=folder))
    for inside, path in files().items():
        (fresh / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, fresh / inside)
    fresh.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return target


def pack(output: Path) -> Path:
    """Write the zip and return its path."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(output.name + ".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, path in files().items():
            entry = zipfile.ZipInfo(f"{NAME}/{inside}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    size = partial.stat().st_size
    if size > LIMIT_BYTES:
        partial.unlink()
        sys.exit(f"The plugin is {size / 1e6:.1f} MB; the portal takes 25 MiB.")
    partial.replace(output)
    return output


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["stage", "zip"])
    parser.add_argument("where", type=Path)
    given = parser.parse_args()
    print(stage(given.where) if given.what == "stage" else pack(given.where))


if __name__ == "__main__":
    main()
