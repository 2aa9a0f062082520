"""Holds the house's import table: low floors never import high ones, and the two buildings share one door."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "vidtag_engine"
ROOMS = ("video", "models", "gallery", "trajectory", "export")
EVERYTHING = {
    *ROOMS, "types", "geodesy", "protocol", "settings", "geolocate", "heatmap", "batch", "video_features", "loaded", "result_file", "datasets", "training",
    "evaluation", "doctor", "__init__", "commands", "truth_offset", "file_marks", "geopackage_metadata", "command_files", "atomic", "outputs", "inference",
}  # fmt: skip
# What each place may import from the engine, besides itself. `types` may be imported everywhere.
MAY_IMPORT = {
    "types": set(),
    "protocol": set(),
    "geopackage_metadata": set(),
    "file_marks": {"geopackage_metadata"},
    "atomic": {"file_marks"},
    "outputs": {"file_marks", "command_files"},
    "command_files": {"file_marks"},
    "geodesy": set(),
    "settings": set(),
    "video": {"geodesy", "file_marks"},
    "models": {"geodesy", "atomic"},
    "gallery": {"geodesy", "models", "atomic", "file_marks"},
    "trajectory": {"geodesy"},
    "export": {"geodesy", "trajectory", "file_marks", "geopackage_metadata", "atomic"},
    "batch": {"geodesy", *ROOMS, "settings", "outputs"},
    "inference": {"geodesy", "models", "gallery", "trajectory"},
    "video_features": {"video", "models", "settings"},
    "result_file": {"gallery", "export"},
    "loaded": {"gallery", "models", "trajectory", "settings", "batch", "__init__"},
    "geolocate": {
        "geodesy",
        *ROOMS,
        "settings",
        "protocol",
        "batch",
        "video_features",
        "inference",
        "loaded",
        "result_file",
        "__init__",
        "outputs",
    },  # fmt: skip
    "heatmap": {"geodesy", *ROOMS, "inference", "settings", "protocol", "batch", "geolocate", "outputs"},
    "truth_offset": {"video", "trajectory"},
    "datasets": {"geodesy", "video", "gallery"},
    "training": EVERYTHING,
    "evaluation": EVERYTHING,
    "doctor": EVERYTHING,
    "commands": EVERYTHING,
    "cli_export": EVERYTHING | {"terminal", "options"},
    "cli_train": EVERYTHING | {"terminal", "options"},
    "cli_corrections": EVERYTHING | {"terminal", "options"},
    "rates": EVERYTHING,
    "terminal": set(),
    "options": set(),
    "cli_calibrate": EVERYTHING | {"terminal", "options"},
    "cli_heatmap": {"heatmap", "protocol", "terminal", "options"},
    "cli": EVERYTHING
    | {"rates", "worker", "terminal", "options", "cli_export", "cli_calibrate", "cli_heatmap", "cli_train", "cli_corrections"},
    "worker": EVERYTHING,
    "__main__": {"cli"},
    "__init__": set(),
}


def modules() -> list[Path]:
    return sorted(ENGINE.rglob("*.py"))


def place_of(path: Path) -> str:
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def engine_imports(path: Path) -> set[str]:
    """Places of the engine that a file imports, wherever in it."""
    package = ("vidtag_engine", *path.relative_to(ENGINE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [(*base, *(node.module or "").split("."))] if node.module else [(*base, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "vidtag_engine":
                place = name[1] if len(name) > 1 else "__init__"
                found.add(place if (ENGINE / place).is_dir() or (ENGINE / f"{place}.py").is_file() else "__init__")
    return found


def third_party(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_there_is_a_rule_for_every_place() -> None:
    assert {place_of(path) for path in modules()} - {"resources"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(ENGINE).as_posix())
def test_import_table(path: Path) -> None:
    place = place_of(path)
    assert engine_imports(path) - {place, "types"} <= MAY_IMPORT[place]


def test_engine_never_imports_qgis() -> None:
    for path in modules():
        assert not third_party(path) & {"qgis", "PyQt5", "PyQt6", "vidtag_qgis"}, path


def test_protocol_is_standard_library_only() -> None:
    assert third_party(ENGINE / "protocol.py") <= {"__future__", "json", "dataclasses", "typing"}


def test_trajectory_and_geodesy_stay_light() -> None:
    assert third_party(ENGINE / "geodesy.py") <= {"__future__", "math", "numpy", "pyproj"}
    for path in (ENGINE / "trajectory").glob("*.py"):
        assert not third_party(path) & {"torch", "geopandas", "av", "timm"}, path


HEAVY = {"torch", "timm", "open_clip", "av", "cv2", "rasterio", "geopandas", "fiona", "shapely", "pandas", "vidtag_engine", "numpy"}


@pytest.mark.parametrize("path", sorted((ROOT / "vidtag_qgis").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_plugin_is_light(path: Path) -> None:
    imported = third_party(path)
    assert not imported & HEAVY
    if "engine_client" in path.parts:
        assert "qgis" not in imported


def imported_files(top: str) -> dict[str, set[str]]:
    """By module of a package, the modules of it that it imports anywhere: at the top, in functions, or for type checkers alone."""
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in (ROOT / top).rglob("*.py")}
    found = {}
    for name, path in names.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = []
            if isinstance(node, ast.ImportFrom):
                base = ".".join(
                    [*(package[: len(package) - node.level + 1] if node.level else []), *([node.module] if node.module else [])]
                )
                asked = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in names else base for alias in node.names]
            elif isinstance(node, ast.Import):
                asked = [alias.name for alias in node.names]
            found[name] |= {one for one in asked if one in names and one != name}
    return found


@pytest.mark.parametrize("top", ["vidtag_engine", "vidtag_qgis", "benchmarks"])
def test_no_files_import_each_other_in_a_circle(top: str) -> None:
    sorter = graphlib.TopologicalSorter(imported_files(top))
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_circle_through_a_deferred_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("")
    (house / "one.py").write_text("from .two import b\n")
    (house / "two.py").write_text("def b():\n    from . import one\n    return one\n")
    assert imported_files("house") == {"house": set(), "house.one": {"house.two"}, "house.two": {"house.one"}}


def test_files_stay_readable() -> None:
    """A file past 400 lines asks to be two."""
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > 430} == {}
