"""Holds the house's import table: low floors never import high ones, and the two buildings share one door."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "vidtag_engine"
# From the ground up. A place imports from any floor below, and from its own what SAME_FLOOR names; `types` may be imported everywhere.
FLOORS = (
    {
        "types",
        "feedback",
        "protocol",
        "protocol_writer",
        "command_arguments",
        "evidence_arguments",
        "geopackage_metadata",
        "file_marks",
        "command_files",
        "frame_ring",
        "atomic",
        "outputs",
        "cache_items",
        "offline",
        "directions",
        "geodesy",
        "landmarks",
        "local_features",
        "settings",
        "vectors",
        "screen",
        "cluster",
        "__init__",
    },
    {"video", "motion", "grid", "places"},
    {"models", "search", "trajectory", "reference", "datasets", "roads"},
    {"inference", "export", "truth_offset"},
    {"store"},
    {
        "batch",
        "warm",
        "loaded",
        "own_areas",
        "result_file",
        "results",
        "geolocation",
        "job",
        "guessed_areas",
        "guessing",
        "registry",
        "caches",
        "cache_clearing",
        "matches",
        "heatmap",
        "calibration",
        "ways",
        "road_job",
        "keeping",
        "stored_batch",
        "work",
        "cluster_video",
        "clustered",
    },
    {"training", "evaluation"},
    {"commands"},
    {"front_door", "worker_job"},
    {"worker_commands"},
    {"worker"},
    {"cli"},
    {"__main__"},
)
SAME_FLOOR = {
    "worker": {"worker_arguments"},
    "landmarks": {"geodesy"},
    "settings": {"local_features"},
    "file_marks": {"geopackage_metadata"},
    "atomic": {"file_marks"},
    "cluster": {"feedback", "offline"},
    "command_arguments": {"evidence_arguments"},
    "command_files": {"file_marks"},
    "outputs": {"file_marks", "command_files"},
    "protocol_writer": {"protocol"},
    "vectors": {"offline"},
    "motion": {"video"},
    "places": {"grid"},
    "models": {"reference"},
    "reference": {"datasets"},
    "warm": {"guessing", "loaded"},
    "loaded": {"batch"},
    "result_file": {"batch"},
    "results": {"result_file"},
    "matches": {"loaded"},
    "job": {"loaded", "matches", "own_areas", "warm", "ways"},
    "roads": {"trajectory"},
    "road_job": {"ways"},
    "own_areas": {"batch"},
    "stored_batch": {"batch", "own_areas", "result_file"},
    "keeping": {"batch", "own_areas", "result_file", "stored_batch"},
    "work": {"batch", "guessed_areas", "job", "keeping", "loaded", "own_areas", "road_job", "warm", "ways"},
    "cluster_video": {"batch", "loaded", "own_areas", "stored_batch", "warm", "ways", "work"},
    "clustered": {"batch", "cluster_video", "loaded", "own_areas", "stored_batch", "ways", "work"},
    "geolocation": {"batch", "clustered", "guessed_areas", "keeping", "loaded", "own_areas", "results", "warm", "work"},
    "caches": {"batch", "registry"},
    "cache_clearing": {"caches"},
    "guessing": {"batch"},
    "guessed_areas": {"batch", "guessing", "own_areas", "registry"},
    "heatmap": {"batch", "job", "loaded", "warm"},
    "evaluation": {"training"},
}
FLOOR_OF = {place: number for number, places in enumerate(FLOORS) for place in places}
# Neither knows torch, nor does anything below.
WITHOUT_TORCH = {
    "types",
    "feedback",
    "protocol",
    "command_arguments",
    "evidence_arguments",
    "directions",
    "geodesy",
    "landmarks",
    "local_features",
    "settings",
    "vectors",
    "screen",
    "cluster",
    "outputs",
    "offline",
    "atomic",
    "video",
    "motion",
    "grid",
    "places",
    "trajectory",
    "roads",
    "export",
    "datasets",
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


def test_every_place_has_its_floor() -> None:
    assert {place_of(path) for path in modules()} - {"resources"} == set(FLOOR_OF)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(ENGINE).as_posix())
def test_no_floor_imports_a_higher_one(path: Path) -> None:
    place = place_of(path)
    below = {other for other, floor in FLOOR_OF.items() if floor < FLOOR_OF[place]}
    assert engine_imports(path) - {place, "types"} <= below | SAME_FLOOR.get(place, set())


@pytest.mark.parametrize("place", sorted(WITHOUT_TORCH))
def test_low_floors_know_no_torch(place: str) -> None:
    """Neither by a line of their own nor by what they import: checked in a process of its own."""
    command = f"import sys, vidtag_engine.{place}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=False).returncode == 0


def test_engine_never_imports_qgis() -> None:
    for path in modules():
        assert not third_party(path) & {"qgis", "PyQt5", "PyQt6", "vidtag_qgis"}, path


def test_protocol_is_standard_library_only() -> None:
    for name in ("protocol.py", "command_arguments.py", "evidence_arguments.py"):
        assert third_party(ENGINE / name) <= {"__future__", "json", "dataclasses", "typing"}


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


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """Files that import each other, one after the other; empty where none do."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("top", ["vidtag_engine", "vidtag_qgis", "benchmarks", "simulator"])
def test_no_files_import_each_other_in_a_circle(top: str) -> None:
    assert circle_in(imported_files(top)) == []


def test_a_circle_through_a_deferred_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").write_text("")
    (house / "one.py").write_text("from .two import b\n")
    (house / "two.py").write_text("def b():\n    from . import one\n    return one\n")
    found = imported_files("house")
    assert found == {"house": set(), "house.one": {"house.two"}, "house.two": {"house.one"}}
    assert set(circle_in(found)) == {"house.one", "house.two"}


def test_files_stay_readable() -> None:
    """A file past 400 lines asks to be two."""
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > 430} == {}
