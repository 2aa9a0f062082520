"""Every output of every command, and what it is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .bad_input_cases import FIELD

FREE = (f"--aoi={FIELD}", "--checkpoint", "../../tiny", "--resolution-m", "40")
PROTECTED = ("in another user's folder", "write-protected, another user's")


@dataclass(frozen=True)
class Target:
    """One output.

    Args:
        command: of the command line.
        base: its words without outputs.
        flag: that names the output; empty where the result itself is written.
        kind: of file, as ``vidtag_engine.file_marks`` says.
        output: where it is written.
        input: a file that the call reads and that this output could name.
        others: outputs that the command cannot do without, beside this one.
    """

    command: str
    base: tuple[str, ...]
    flag: str
    kind: str
    output: str
    input: str = ""
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.command} {self.flag}".strip()

    @property
    def suffix(self) -> str:
        """Of the output's name; "/" for a folder."""
        return "/" if "." not in self.output else "." + self.output.rpartition(".")[2]

    def option(self, path: str) -> tuple[str, ...]:
        """The words that name the output."""
        return (self.flag, path) if self.flag else ()

    def words(self, path: str) -> tuple[str, ...]:
        """The whole command line, with this output alone."""
        return (*self.base, *self.others, *self.option(path))

    def request(self, words: tuple[str, ...]) -> dict[str, Any]:
        """The same call as the plugin makes it."""
        arguments: dict[str, Any] = {}
        lists = {"video": "videos", "truth": "truths", "images": "images"} if self.command == "train" else {"videos": "videos"}
        rest = list(words[len(self.command.split("-")) :])
        first = {"geolocate": "videos", "guess": "videos", "heatmap": "video", "reference-layer": "reference"}.get(self.command, "result")
        while rest:
            word = rest.pop(0)
            if not word.startswith("--"):
                arguments[first] = [word] if first == "videos" else word
                continue
            flag, equals, value = word[2:].partition("=")
            name = flag.replace("-", "_")
            if name in {"overwrite", "keep_scores"}:
                arguments[name] = True
                continue
            given: Any = value if equals else rest.pop(0)
            if name in lists or (name == "images" and self.command == "geolocate"):
                arguments.setdefault(lists.get(name, name), []).append(given)
            else:
                arguments[name] = float(given) if name == "resolution_m" else int(given) if name.endswith("_steps") else given
        return {"type": "request", "id": 1, "command": self.command, "arguments": arguments}


_GEOLOCATE = ("geolocate", "drive.mp4", *FREE)
_PLAIN = ("geolocate", "drive.mp4", "--aoi=area.gpkg", *FREE[1:])
_RESULT = ("--output", "out/found.gpkg")
_HEAT = ("heatmap", "drive.mp4", *FREE)
_EVALUATE = ("evaluate", "result.gpkg", "--truth", "drive.gpx")
_MAP = ("--map", "out/error.png")
_EXPORT = ("export", "result.gpkg")
_TRAIN = (
    "train",
    "--video",
    "drive.mp4",
    "--truth",
    "drive.gpx",
    f"--aoi={FIELD}",
    "--resolution-m",
    "40",
    "--phase1-steps",
    "1",
    "--phase2-steps",
    "1",
)
TARGETS = (
    Target("geolocate", _PLAIN, "--output", "result", "out/found.gpkg", "area.gpkg"),
    *(
        Target("geolocate", _GEOLOCATE, f"--{kind}", kind, f"out/found.{kind}", "drive.mp4", _RESULT)
        for kind in ("kml", "gpx", "geojson", "csv")
    ),
    Target("geolocate", ("geolocate", "--images", "pictures", *FREE), "--map", "map", "out/found.png", "pictures/0.png", _RESULT),
    Target("geolocate", _GEOLOCATE, "--html", "page", "out/found.html", "drive.mp4", _RESULT),
    Target("gallery", ("gallery", "--aoi=area.gpkg", "--resolution-m", "40"), "--output", "gallery", "out/grid.gpkg", "area.gpkg"),
    Target("heatmap", _HEAT, "--output", "heatmap", "out/heat.tif"),
    Target("heatmap", ("heatmap", "--images", "pictures", *FREE), "--png", "heatmap-picture", "out/heat.png", "pictures/0.png",
           ("--output", "out/heat.tif")),
    Target("evaluate", _EVALUATE, "--errors", "errors", "out/errors.gpkg", "result.gpkg", _MAP),
    Target("evaluate", _EVALUATE, "--map", "map", "out/error.png"),
    Target("evaluate", _EVALUATE, "--html", "html", "out/report.html", "drive.gpx", _MAP),
    Target("evaluate", _EVALUATE, "--markdown", "markdown", "out/report.md", "drive.gpx", _MAP),
    *(Target("export", _EXPORT, f"--{kind}", kind, f"out/copy.{kind}", "result.gpkg") for kind in ("kml", "gpx", "geojson", "csv")),
    Target("export", (*_EXPORT, "--videos", "drive.mp4"), "--frames", "frames", "out/frames"),
    Target("thumbnails", ("thumbnails", "result.gpkg", "--videos", "drive.mp4"), "--output", "thumbnails", "out/small.gpkg", "drive.mp4"),
    Target("solve", ("solve", "result.gpkg"), "--output", "result", "out/solved.gpkg"),
    Target("places", ("places", "result.gpkg", "--time-s", "2"), "--posterior", "posterior", "out/twelve.gpkg"),
    Target("match", ("match", "result.gpkg", "--roads", "roads.gpkg"), "--output", "result", "out/matched.gpkg", "roads.gpkg"),
    Target("pin", ("pin", "out/pinned.gpkg", "--frame", "2", "--at=-19.2181,159.9321"), "", "result", "out/pinned.gpkg"),
    Target("train", _TRAIN, "--output", "checkpoint", "out/learned"),
    Target("guess", ("guess", "drive.mp4", "--checkpoint", "../../cities"), "--output", "places", "out/places.gpkg", "drive.mp4"),
    Target("reference-layer", ("reference", "layer", "../../references", "--aoi=area.gpkg"), "--output", "images", "out/held.gpkg", "area.gpkg"),
)  # fmt: skip
QUICK = ("gallery --output", "export --gpx", "evaluate --map", "solve --output", "pin")
ANOTHER = "another GeoPackage of this tool"
FOREIGN: dict[str, dict[str, bytes | str]] = {
    ".gpkg": {"somebody's GeoPackage": "layers.gpkg", "a text": b"a diary", "another kind of this tool's": ANOTHER},
    ".kml": {
        "somebody's KML": b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>',
        "a result": "result.gpkg",
    },
    ".gpx": {"the receiver's own log": "drive.gpx", "a result": "result.gpkg"},
    ".geojson": {"somebody's GeoJSON": b'{"type": "FeatureCollection", "features": []}', "a result": "result.gpkg"},
    ".csv": {"somebody's table": b"time,lat,lon\n1,2,3\n", "a result": "result.gpkg"},
    ".png": {"somebody's picture": "pictures/0.png", "a result": "result.gpkg"},
    ".tif": {"somebody's data": b"II*\0 and more", "a result": "result.gpkg"},
    ".html": {"somebody's page": b"<!DOCTYPE html><html><body>mine</body></html>", "a result": "result.gpkg"},
    ".md": {"somebody's notes": b"# Mine\n", "a result": "result.gpkg"},
    "/": {},
}
