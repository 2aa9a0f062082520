"""What the engine's commands take from QGIS, one class a command, each with the command's name in its docstring.

Standard library only, clean for Python 3.9: the plugin carries a copy, byte for byte. Paths are absolute. ``overwrite``, which every command that writes has,
lets an output take the place of what is not this tool's own file of that kind (``file_marks.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from .evidence_arguments import (
    LandmarksArguments as LandmarksArguments,
)
from .evidence_arguments import (
    PinArguments as PinArguments,
)
from .evidence_arguments import (
    PlacesArguments as PlacesArguments,
)
from .evidence_arguments import (
    ReviewArguments as ReviewArguments,
)
from .evidence_arguments import (
    SolveArguments as SolveArguments,
)


@dataclass(frozen=True)
class GeolocateArguments:
    """Arguments of "geolocate". Paths are absolute; ``aoi`` is text that ``vidtag geolocate --aoi`` takes (GeoJSON, WKT, bounds or a file).

    Without ``aoi`` the extent that the checkpoint was trained on is searched, or the world's land. ``table`` is as of ``--table``; its rows are ``table_rows``,
    where given (values by column), as of a layer that no file holds, and ``table`` is its name. ``results``, ``shard`` and ``cluster`` are as of these options.
    """

    output: Optional[str] = None
    aoi: Optional[str] = None
    videos: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    results: Optional[str] = None
    shard: Optional[str] = None
    retry_failed: bool = False
    cluster: Optional[str] = None
    table: Optional[str] = None
    table_rows: Optional[list[dict[str, Any]]] = None
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    checkpoint: str = "geoclip"
    resolution_m: float = 100.0
    rate_hz: Optional[float] = 1.0
    from_s: float = 0.0
    to_s: Optional[float] = None
    start_time: Optional[str] = None
    time_zone: Optional[str] = None
    grid: str = "equal-earth"
    confidence_radius_m: Optional[float] = None
    device: str = "auto"
    batch_size: Optional[int] = None
    seed: int = 0
    exhaustive: bool = False
    continuous: bool = False
    encode_all: bool = False
    decoder: str = "hmm"
    motion: Optional[str] = None
    always_answer: bool = False
    keep_scores: bool = False
    guess_area: Optional[str] = None
    reference: Optional[str] = None
    roads: Optional[str] = None
    roads_layer: Optional[str] = None
    roads_crs: Optional[str] = None
    motion_track: Optional[str] = None
    share_places: bool = False
    kml: Optional[str] = None
    gpx: Optional[str] = None
    geojson: Optional[str] = None
    csv: Optional[str] = None
    map: Optional[str] = None
    html: Optional[str] = None
    overwrite: bool = False
    anew: bool = False


@dataclass(frozen=True)
class GalleryArguments:
    """Arguments of "gallery". Without ``output`` points are only counted; with ``checkpoint`` it is measured how long they take."""

    aoi: str
    output: Optional[str] = None
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    resolution_m: float = 100.0
    grid: str = "equal-earth"
    checkpoint: Optional[str] = None
    exhaustive: bool = False
    device: str = "auto"
    overwrite: bool = False


@dataclass(frozen=True)
class EvaluateArguments:
    """Arguments of "evaluate". ``truth`` is what ``vidtag evaluate --truth`` takes; ``errors`` (GeoPackage), ``html``, ``json``, ``markdown`` are written if given.

    ``answer`` is "auto" (of each video the one solved with pins, where there is one), "model" or "pinned" (as "auto", refused where there is none).
    ``truth_offset_s`` is what is added to the truth's clock: a number as text, or "auto", for which ``videos`` are files or folders where the result's
    videos are looked for, besides those of result and truth.
    """

    result: str
    truth: str
    video: Optional[str] = None
    errors: Optional[str] = None
    html: Optional[str] = None
    map: Optional[str] = None
    json: Optional[str] = None
    markdown: Optional[str] = None
    answer: str = "auto"
    truth_offset_s: Optional[str] = None
    videos: list[str] = field(default_factory=list)
    overwrite: bool = False


@dataclass(frozen=True)
class ExportArguments:
    """Arguments of "export". ``frames`` is a folder for JPEGs; ``videos`` are files or folders where the result's videos are looked for.

    ``answer`` as for "evaluate".
    """

    result: str
    kml: Optional[str] = None
    gpx: Optional[str] = None
    geojson: Optional[str] = None
    csv: Optional[str] = None
    frames: Optional[str] = None
    videos: list[str] = field(default_factory=list)
    least_confidence: float = 0.0
    quality: int = 92
    answer: str = "auto"
    overwrite: bool = False


@dataclass(frozen=True)
class ReportArguments:
    """Arguments of "report": make the folder ``folder`` to hand over. ``videos`` are files or folders where the result's videos are looked for.

    ``frames`` are shown a page; ``answer`` is as for "evaluate". ``regions`` puts the frames' regions into the KMZ. ``overwrite`` makes an earlier case anew.
    """

    result: str
    folder: str
    videos: list[str] = field(default_factory=list)
    frames: int = 12
    case_id: str = ""
    source_url: str = ""
    analyst: str = ""
    answer: str = "auto"
    regions: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class MatchArguments:
    """Arguments of "match". ``roads`` is a vector file with lines; ``output`` as for "solve", ``answer`` as for "evaluate"."""

    result: str
    roads: str
    output: Optional[str] = None
    layer: Optional[str] = None
    crs: Optional[str] = None
    answer: str = "auto"
    overwrite: bool = False


@dataclass(frozen=True)
class TrainArguments:
    """Arguments of "train". None leaves a setting to the recipe; ``truths`` are tracks in the order of the videos, or folders of them.

    ``truth_offset_s`` is what is added to the clocks of the truths: a number as text, or "auto". Without ``aoi`` the area is about where the tracks lead.
    """

    output: str
    aoi: Optional[str] = None
    videos: list[str] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    validation: list[str] = field(default_factory=list)
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    preset: str = "vidtag-compact"
    recipe: str = "default"
    resolution_m: float = 100.0
    rate_hz: Optional[float] = 1.0
    sigma: str = "auto"
    phase1_steps: Optional[int] = None
    phase2_steps: Optional[int] = None
    local_features: Optional[str] = None
    augment: Optional[str] = None
    views: Optional[int] = None
    validation_fraction: Optional[float] = None
    features: Optional[str] = None
    truth_offset_s: Optional[str] = None
    device: str = "auto"
    seed: int = 0
    overwrite: bool = False


@dataclass(frozen=True)
class HeatmapArguments:
    """Arguments of "heatmap": one video, or one folder of images, and the GeoTIFF to write. The others as those of "geolocate".

    ``bands`` is "video" (one band) or "frames" (a band a frame); ``decoder`` "hmm" (frames decoded together, if the checkpoint can) or "none"; ``crs`` any system
    that PROJ knows, or empty for Lambert's equal-area plane about it; ``png`` a picture, ``cell_m`` a cell's side in metres, which else follows from the resolution.
    """

    output: str
    aoi: str
    video: Optional[str] = None
    images: Optional[str] = None
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    checkpoint: str = "geoclip"
    resolution_m: float = 100.0
    rate_hz: Optional[float] = 1.0
    from_s: float = 0.0
    to_s: Optional[float] = None
    start_time: Optional[str] = None
    time_zone: Optional[str] = None
    device: str = "auto"
    batch_size: Optional[int] = None
    bands: str = "video"
    decoder: str = "hmm"
    crs: Optional[str] = None
    cell_m: Optional[float] = None
    png: Optional[str] = None
    overwrite: bool = False


@dataclass(frozen=True)
class ReferenceArguments:
    """Arguments of "reference": make a database of reference images in the folder ``output``, or add to it. Paths are absolute.

    ``homes`` are ``LAT,LON,METRES``, vector files or GeoJSON: images there are left out. ``token``, a platform's, is a secret that no text and no file has.
    With a ``source`` (a platform, ``address`` if not its usual one) there are no videos, truths and images. Nothing is asked of it without ``yes_query``, and
    nothing fetched without ``yes_download_mb``: without the latter the answer is the question, how many pictures of how many megabytes it is.
    """

    output: str
    videos: list[str] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    aoi: Optional[str] = None
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    homes: list[str] = field(default_factory=list)
    preset: str = "vidtag-compact"
    resolution_m: float = 100.0
    rate_hz: Optional[float] = 1.0
    every_m: float = 2.0
    width: int = 96
    local_features: str = "none"
    author: str = ""
    licence: str = ""
    private: bool = True
    calibrate: bool = True
    device: str = "auto"
    source: Optional[str] = None
    address: str = ""
    yes_query: bool = False
    yes_download_mb: Optional[float] = None
    spot_m: float = 10.0
    per_sequence: Optional[int] = None
    oldest_years: Optional[float] = None
    mixed_licences: bool = False
    width_px: int = 1024
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class ReferenceLayerArguments:
    """Arguments of "reference-layer": the layers of images and of gaps, written to ``output``, of the database in the folder ``reference``."""

    reference: str
    output: str
    aoi: Optional[str] = None
    aoi_layer: Optional[str] = None
    aoi_crs: Optional[str] = None
    overwrite: bool = False


@dataclass(frozen=True)
class GuessArguments:
    """Arguments of "guess": in which cities that ``checkpoint`` (of ``vidtag train-city``) knows; ``output``: a GeoPackage of them as polygons, or None."""

    checkpoint: str
    videos: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    output: Optional[str] = None
    from_s: float = 0.0
    to_s: Optional[float] = None
    device: str = "auto"
    batch_size: Optional[int] = None
    overwrite: bool = False


@dataclass(frozen=True)
class NextStepsArguments:
    """Arguments of "next-steps": how ``result``, a GeoPackage, stands, and what to do next; None where there is no result yet."""

    result: Optional[str] = None


@dataclass(frozen=True)
class PictureArguments:
    """Arguments of "picture": the picture on screen ``time_s`` seconds after the video's start, written to ``output`` (.jpg or .png).

    ``videos`` are places where the video may lie, the likeliest first: the first that has the digest ``sha256`` is taken, without one the first
    that is there. ``kind`` is "video", "images" or "auto". No side of the picture is longer than ``longest_px``.
    """

    output: str
    time_s: float
    videos: list[str] = field(default_factory=list)
    sha256: Optional[str] = None
    kind: str = "auto"
    longest_px: int = 1280
    overwrite: bool = False


@dataclass(frozen=True)
class ThumbnailsArguments:
    """Arguments of "thumbnails": small pictures of a result's frames into ``output``, by default beside the result, no side longer than ``longest_px``.

    ``videos`` are files or folders where the result's videos are looked for.
    """

    result: str
    output: Optional[str] = None
    videos: list[str] = field(default_factory=list)
    longest_px: int = 240
    overwrite: bool = False


@dataclass(frozen=True)
class PlayerOpenArguments:
    """Arguments of "player-open": keep a video open, and hand its pictures over in the ring of pictures ``ring`` (``frame_ring.py``).

    ``videos`` and ``sha256`` are as those of "picture". A video that was open before is closed.
    """

    ring: str
    videos: list[str] = field(default_factory=list)
    sha256: Optional[str] = None


@dataclass(frozen=True)
class PlayerSeekArguments:
    """Arguments of "player-seek": the picture on screen ``time_s`` seconds after the start, given up once the ring's wish is another than ``wish``.

    ``step`` means so many pictures further, or back where it is below 0.
    """

    time_s: float
    wish: int
    longest_px: int = 1280
    step: int = 0


@dataclass(frozen=True)
class PlayerPlayArguments:
    """Arguments of "player-play": pictures from ``from_s`` on, each told as it is ready, until the ring's wish is another than ``wish``.

    ``rate`` is 1 for the video's own speed, negative for backwards.
    """

    from_s: float
    wish: int
    rate: float = 1.0
    longest_px: int = 960


@dataclass(frozen=True)
class PlayerPrepareArguments:
    """Arguments of "player-prepare": in an idle moment make the next pictures about ``near_s`` come sooner, until the wish is another than ``wish``."""

    near_s: float
    wish: int
