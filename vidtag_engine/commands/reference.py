"""Databases of reference images: built, looked at, thinned out. Text in, plain JSON values out."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ..atomic import replacing
from ..cluster import check_installed
from ..export.geopackage_tables import add_styles
from ..feedback import Feedback
from ..file_marks import mark_geopackage
from ..geodesy import EARTH_RADIUS_M
from ..grid import AreaOfInterest, load_aoi, make_grid
from ..outputs import check_files
from ..reference.consent import DownloadConsent, QueryConsent, download_consent
from ..reference.database import StoredReferences
from ..reference.indexing import LEAST_ROWS, indices, make_indices
from ..reference.manifest import MANIFEST
from ..reference.sampling import Sampling
from ..reference.sources import open_source
from ..reference.store import Store
from ..settings import ReferenceSettings, SourceSettings, validated
from ..training.home_zone import Home, homes_of, in_homes
from ..training.reference_build import Built, area_of_images, build, calibrated
from ..training.reference_refresh import refresh as refreshed
from ..training.reference_source import Answers, build_from_source, default_pictures_folder, find
from ..training.sources import pair_sources
from ..trajectory import Calibration
from ..types import FloatArray, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..command_arguments import ReferenceArguments, ReferenceLayerArguments

_DAY_S = 86_400.0
_CHANGED = "They were changed since they came into the database, and are removed from it without a yes."
_MOST_CELLS = 200_000  # of the gaps
_AT_ONCE = 20_000  # images that are looked up for the layer


def run_reference(
    arguments: ReferenceArguments,
    *,
    feedback: Feedback = Feedback(),
    log: Callable[[str, str], None] | None = None,
    ask: Callable[[str], bool] | None = None,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Make a database, or add to it; broken off, the same call goes on where it stopped.

    Args:
        arguments: of the build.
        feedback: of the whole.
        log: told notes on the area.
        ask: puts a question of a platform's to a person, who says yes or no; None where nobody is there.
        cluster: address of a Dask scheduler, or "local": its workers encode videos and images; None does it here.

    Returns:
        :func:`summary_of` the database, ``added`` (images), ``there`` (sources that were in it already), ``left_out`` (why and how many) and ``notes``. Of a
        platform whose pictures nobody has agreed to fetch: ``question``, ``count`` and ``estimated_mb``.

    Raises:
        InputError: bad sources, area or settings.
        CancelledError: stopped; finished sources are kept.
    """
    if not (arguments.source or arguments.videos or arguments.images):
        raise InputError("There is nothing to build from: give --video with its --truth, --images, or --source with --aoi.")
    if cluster and arguments.source:
        raise InputError(
            "A cluster encodes your own videos and images, and a source's pictures are fetched by this machine: leave out --cluster."
        )
    if cluster:
        check_installed()
    settings: ReferenceSettings = validated(ReferenceSettings, {name: getattr(arguments, name) for name in ReferenceSettings.model_fields})
    asked: SourceSettings = validated(SourceSettings, {name: getattr(arguments, name) for name in SourceSettings.model_fields})
    homes, notes = homes_of(arguments.homes)
    check_files("reference", asdict(arguments))
    area = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs) if arguments.aoi else None
    output = Path(arguments.output)
    if asked.source is None:
        sources = pair_sources(*([Path(text) for text in texts] for texts in (arguments.videos, arguments.truths, arguments.images)))
        feedback.tell(0.0, "loading", f"{len(sources)} sources")
        built = build(output, sources, settings, aoi=area, homes=homes, cluster=cluster, feedback=feedback)
    else:
        if arguments.videos or arguments.truths or arguments.images:
            raise InputError("A source brings its own pictures: leave out videos, tracks and folders of images, or the source.")
        if area is None:
            raise InputError(f"Draw the area that {asked.source} is to be asked about: give --aoi.")
        found = _from_source(output, area, settings, asked, homes, arguments.token, ask, feedback)
        if isinstance(found, dict):
            return found
        built = found
    notes = [*(area.notes if area else ()), *notes]
    if log:
        for note in notes:
            log("info", note)
    return {**summary_of(built.store), "added": built.added, "there": built.there, "left_out": built.left_out, "notes": notes}


def _from_source(
    output: Path,
    area: AreaOfInterest,
    settings: ReferenceSettings,
    asked: SourceSettings,
    homes: Sequence[Home],
    token: str,
    ask: Callable[[str], bool] | None,
    feedback: Feedback,
) -> Built | dict[str, Any]:
    """A platform's pictures as a database; or the second question, where nobody has answered it and nobody is there to be asked."""
    source = open_source(asked.source or "", asked.address, token)
    how = Sampling(
        spot_m=asked.spot_m, per_sequence=asked.per_sequence, oldest_years=asked.oldest_years, mixed_licences=asked.mixed_licences
    )
    answers = Answers(asked.yes_query, asked.yes_download_mb, (lambda question: ask(question.text())) if ask else None)
    if asked.yes_download_mb is None and ask is None and source.origins:
        store = Store.open(output) if (output / MANIFEST).is_file() else None
        _, new = find(source, area, answers, store, sampling=how, homes=homes, feedback=feedback)
        question = download_consent(source, new, default_pictures_folder(), width_px=asked.width_px)
        return {"output": str(output), "question": question.text(), "count": question.count, "estimated_mb": question.estimated_mb}
    return build_from_source(
        output, source, area, settings, answers, sampling=how, width_px=asked.width_px, homes=homes, cache_folder=default_pictures_folder(),
        feedback=feedback,
    )  # fmt: skip


def summary_of(store: Store) -> dict[str, Any]:
    """What people ask of a database.

    Returns:
        ``output`` (its folder), ``name``, ``images``, ``drives``, ``extent`` (degrees, x before y), ``from`` and ``to`` (days), ``licences``, ``private``,
        ``megabytes``, ``indexed`` (images that an index finds), ``resolution_m``, ``reach_m``, ``frame_encoder``,
        ``local_features`` (kind, or "none"), and ``not_rated``: why no probability is shown, or empty.
    """
    of = store.rows[store.there]
    known = of["time_s"][np.isfinite(of["time_s"])]
    first, last = (
        (datetime.fromtimestamp(float(one), UTC).date().isoformat() for one in (known.min(), known.max())) if len(known) else (None, None)
    )
    calibration = store.manifest.calibration
    return {
        "output": str(store.folder),
        "name": store.manifest.name,
        "images": len(of),
        "drives": len(np.unique(of["drive"])),
        "extent": list(store.extent_deg) if len(of) else None,
        "from": first,
        "to": last,
        "licences": store.licences,
        "private": store.manifest.private,
        "megabytes": round(sum(file.stat().st_size for file in store.folder.rglob("*") if file.is_file()) / 1e6, 1),
        "indexed": sum(len(index.order) for index in indices(store) if index),
        "resolution_m": store.manifest.resolution_m,
        "reach_m": round(store.reach_m, 1) if len(of) else None,
        "frame_encoder": store.manifest.frame_encoder,
        "local_features": store.manifest.local_features or "none",
        "not_rated": Calibration.from_dict(calibration).cannot_tell if calibration else "it was changed since it was calibrated; run 'vidtag reference calibrate'",
    }  # fmt: skip


def calibrate(folder: Path, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Fit how sure to be of a database anew. Returns :func:`summary_of` it. Errors as of :func:`run_reference`."""
    return summary_of(calibrated(Store.open(folder), feedback=feedback))


def index(folder: Path, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Give a database an index, so that a search of all of it reads a part of its codes; what was added since gets one, too.

    Returns:
        :func:`summary_of` it, ``made`` (of each index that was made ``images``, ``cells``, ``probes`` and ``recall``) and ``notes``: what has none, and why.

    Raises:
        InputError: FAISS is not installed, or the database cannot be written.
        CancelledError: stopped; finished indices are kept.
    """
    store = Store.open(folder)
    found = make_indices(store, feedback)
    small, alone = (sum(one.images for one in found if not one.probes and bool(one.cells) is large) for large in (False, True))
    like = sum(one.images for one in found if one.probes and not one.worth)
    notes = []
    if small:
        notes.append(
            f"{small:,} images were added in parts of fewer than {LEAST_ROWS:,}: these need no index, searching all of them is as good."
        )
    if alone:
        notes.append(
            f"{alone:,} images got no index, as they were added as parts of a single drive, or of so few that what an index finds cannot be measured:"
            " all of them are searched."
        )
    if like:
        notes.append(f"{like:,} images got no index, as more than half of it would be read for a frame: searching all of them is as good.")
    return {**summary_of(store), "made": [asdict(one) for one in found if one.worth], "notes": notes}


def refresh(
    folder: Path,
    area: AreaOfInterest,
    asked: SourceSettings,
    *,
    token: str = "",
    ask: Callable[[str], bool] | None = None,
    feedback: Feedback = Feedback(),
) -> dict[str, Any]:
    """Remove the pictures of an area that their platform does not give any more, and make anew those that it has changed, such as blurred.

    Args:
        folder: of the database.
        area: that is looked at again.
        asked: which platform, and whether it may be asked.
        token: of a platform that asks for one.
        ask: puts the question to a person, as in :func:`run_reference`.
        feedback: of the whole.

    Returns:
        :func:`summary_of` it, and how many images were ``removed``, ``replaced``, and ``changed_removed``: changed, and not fetched again.

    Raises:
        InputError: nobody agreed that the platform is asked, it gives nothing at all, or more would be fetched than was agreed to.
        FetchError: it does not answer.
    """
    source = open_source(asked.source or "panoramax", asked.address, token)

    def put(question: QueryConsent | DownloadConsent) -> bool:
        after = f" {_CHANGED}" if isinstance(question, DownloadConsent) else ""
        return ask is not None and ask(f"{question.text()}{after}")

    answers = Answers(asked.yes_query, asked.yes_download_mb, put if ask else None)
    done = refreshed(folder, source, area, answers, width_px=asked.width_px, cache_folder=default_pictures_folder(), feedback=feedback)
    counts = {"removed": done.removed, "replaced": done.replaced, "changed_removed": done.changed_removed}
    return {**summary_of(done.store), **counts}


def prune(
    folder: Path,
    *,
    within: AreaOfInterest | None = None,
    outside: AreaOfInterest | None = None,
    homes: Sequence[Home] = (),
    before: datetime | None = None,
) -> dict[str, Any]:
    """Remove images from a database: those of an area, those outside one, those of home zones, or those taken before a moment.

    Returns:
        :func:`summary_of` it, and ``removed``.

    Raises:
        InputError: nothing says which, or the database cannot be written.
    """
    if within is None and outside is None and not homes and before is None:
        raise InputError("Nothing says which images to remove: give --within, --outside, --home or --before.")
    store = Store.open(folder)
    places = store.lat_lon_deg
    gone = np.zeros(len(places), dtype=bool)
    if within is not None:
        gone |= _inside(within, places)
    if outside is not None:
        gone |= ~_inside(outside, places)
    gone |= in_homes(homes, places)
    if before is not None:
        gone |= store.rows["time_s"] < before.timestamp()
    gone &= store.there
    if gone.any():
        store = store.remove(gone)
    return {**summary_of(store), "removed": int(gone.sum())}


def run_layer(arguments: ReferenceLayerArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Write a database's layers, as :func:`write_layer`, from what a window or a script has typed. Errors as of it."""
    check_files("reference-layer", asdict(arguments))
    area = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs) if arguments.aoi else None
    return write_layer(Path(arguments.reference), Path(arguments.output), aoi=area, overwrite=arguments.overwrite, feedback=feedback)


def write_layer(
    folder: Path, path: Path, *, aoi: AreaOfInterest | None = None, overwrite: bool = False, feedback: Feedback = Feedback()
) -> dict[str, Any]:
    """Write what a database holds as layers to look at before geolocating.

    ``images``: a point an image, with ``source``, ``image_id``, ``drive``, ``taken_utc``, ``age_days``, ``heading_deg``, ``author``, ``licence``, ``page_url``;
    ``device_lat_deg`` and ``device_lon_deg`` tell where the camera itself said that it was, where a platform worked the image's place out.
    ``gaps``: where the area has no image within reach, so that no video can be recognised there.

    Args:
        folder: of the database.
        path: of the GeoPackage.
        aoi: whose gaps are wanted, and whose images alone are written; None is the area that the database was built for, or the box about its images.
        overwrite: replace a file that is not this tool's own.

    Returns:
        ``output``, ``images``, ``gap_share`` (of the area).
    """
    import geopandas
    import pyogrio

    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name} must end in .gpkg: the layers are written as a GeoPackage.")
    store = Store.open(folder)
    if not store.there.any():
        raise InputError(f"{store.folder.name} holds no reference images: add some with 'vidtag reference build'.")
    area = aoi or (load_aoi(store.manifest.area) if store.manifest.area else area_of_images(store))
    inside = store.there & (_inside(area, store.lat_lon_deg) if aoi else True)
    frame = _images_frame(store, np.flatnonzero(inside), feedback)
    gaps, share = _gaps(store, area)
    layers = {
        "images": (frame, "Point"),
        "gaps": (geopandas.GeoDataFrame({"share": [share]}, geometry=[gaps], crs="EPSG:4326"), "MultiPolygon"),
    }
    with replacing(path, "images", overwrite=overwrite) as part:
        for name, (table, kind) in layers.items():
            pyogrio.write_dataframe(
                table, part, layer=name, driver="GPKG", geometry_type=kind, append=part.exists(), dataset_options={"VERSION": "1.2"},
                layer_options={"GEOMETRY_NAME": "geom", "FID": "fid"},
            )  # fmt: skip
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, list(layers))
            mark_geopackage(database, "images")
    return {"output": str(path), "images": len(frame), "gap_share": round(share, 4)}


def _images_frame(store: Store, rows: Any, feedback: Feedback) -> Any:
    """A table of images."""
    import geopandas
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in ("source", "image_id", "author", "licence", "page_url")}
    device_deg: list[tuple[float, float]] = []
    for begin in range(0, len(rows), _AT_ONCE):
        feedback.check()
        feedback.tell(begin / len(rows), "images", "reading what is known of them")
        for one in store.shown(rows[begin : begin + _AT_ONCE]):
            for name, values in columns.items():
                values.append(getattr(one.image, name) or None)
            device_deg.append((one.image.device_lat_deg, one.image.device_lon_deg))
    of = store.rows[rows]
    taken = pd.to_datetime(np.where(np.isfinite(of["time_s"]), of["time_s"], np.nan), unit="s", utc=True)
    now = datetime.now(UTC).timestamp()
    more = {
        "drive": of["drive"],
        "taken_utc": taken,
        "age_days": np.round((now - of["time_s"]) / _DAY_S, 1),
        "heading_deg": of["heading_deg"].astype(np.float64),
        **dict(zip(("device_lat_deg", "device_lon_deg"), np.array(device_deg).reshape(-1, 2).T, strict=True)),
    }
    return geopandas.GeoDataFrame({**columns, **more}, geometry=shapely.points(store.lat_lon_deg[rows][:, ::-1]), crs="EPSG:4326")


def _gaps(store: Store, area: AreaOfInterest) -> tuple[shapely.MultiPolygon, float]:
    """Where an area has no image within reach, as cells of its grid joined, and which share of it that is."""
    step_m = max(store.manifest.resolution_m, float(np.sqrt(area.area_m2 / _MOST_CELLS)) * 1.02)
    grid = make_grid(area, step_m)
    points = np.concatenate(list(grid.chunks()))
    near = StoredReferences(store).reached(points, store.reach_m)
    half_lat = np.degrees(step_m / EARTH_RADIUS_M) / 2.0
    half_lon = half_lat / np.maximum(np.cos(np.radians(points[:, 0])), 1e-3)
    lat, lon = points[~near].T
    wide = half_lon[~near] * 1.02  # so that neighbours touch
    cells = shapely.box(lon - wide, lat - 1.02 * half_lat, lon + wide, lat + 1.02 * half_lat)
    joined = shapely.intersection(shapely.union_all(cells), area.geometry)
    parts = [one for one in shapely.get_parts(joined) if one.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts), float((~near).mean())


def _inside(area: AreaOfInterest, places: FloatArray) -> Any:
    """(N,) whether places lie in an area."""
    return shapely.contains_xy(area.geometry, places[:, 1], places[:, 0])
