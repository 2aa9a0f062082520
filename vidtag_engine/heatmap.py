"""From a video and an area to a map of probability: the posterior that regions and chances are taken from, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from scipy import sparse
from scipy.spatial import cKDTree

from .batch import default_cache_folder, open_all
from .command_arguments import HeatmapArguments
from .export import RasterPlan, map_system, plan_raster, write_raster, write_raster_picture
from .feedback import Feedback
from .geodesy import unit_vectors
from .grid import AreaOfInterest, Grid, WideGrid, load_aoi, plan_grid
from .inference import Emissions, PosteriorDecoder
from .inference.verdicts import why_unknown
from .job import Job
from .loaded import Loaded
from .local_features import LocalRows
from .outputs import check_files
from .settings import GeolocateSettings, HeatmapSettings, validated
from .types import FloatArray, FrameState, InputError, VideoError, VideoInfo
from .video import source_digest
from .warm import Warm

MOST_CELLS = 1_000_000
MOST_BANDS = 600
MOST_VALUES = 250_000_000  # cells × bands: a GeoTIFF of 1 GB
_SCORES_AT_ONCE = 8_000_000
_PARTS, _MOST_PARTS = 4_000_000, 4  # of all cells, and of a cell's side: what places are shared among the cells by


@dataclass(frozen=True)
class Heatmap:
    """What was written.

    Args:
        output: the GeoTIFF.
        bands: how many.
        plan: where the cells lie.
        peak_lat_lon_deg: (bands, 2) middle of the cell at each band's most probable place.
        notes: sentences for the user.
        decoder: ``hmm`` where all frames were decoded together, else ``none``.
        temperature: that scores were read at.
    """

    output: Path
    bands: int
    plan: RasterPlan
    peak_lat_lon_deg: FloatArray
    notes: list[str]
    decoder: str
    temperature: float


def heatmap(
    source: VideoInfo,
    aoi: AreaOfInterest,
    loaded: Loaded,
    output: Path,
    settings: GeolocateSettings,
    chosen: HeatmapSettings,
    *,
    png: Path | None = None,
    overwrite: bool = False,
    cache_dir: Path | None = None,
    feedback: Feedback = Feedback(),
    warm: Warm | None = None,
) -> Heatmap:
    """Write the posterior over an area as a GeoTIFF: probability a cell, 1 in sum over the area in every band.

    Where all frames are decoded together, a frame's posterior is its marginal, which its regions are drawn from. Frame by frame it is softmax(score / temperature)
    at the temperature that the checkpoint was calibrated with, times the cell's area: the density whose mass within a radius is the frame's confidence before
    the number of validation frames is allowed for. A video's is the mean of its frames': the chance that a frame of it, taken blindly, is from the cell.

    Args:
        source: an opened video or folder of images.
        aoi: the area.
        loaded: the checkpoint.
        output: path of the GeoTIFF; its style is written beside it.
        settings, chosen: of the geolocation and of the map.
        png: also draw the first band.
        overwrite: replace what is at ``output`` and ``png`` also where it is no heat map.
        cache_dir: for gallery embeddings; None is the user's cache folder.
        feedback: of the whole run.
        warm: what earlier calls in this process have left, and this one leaves.

    Raises:
        InputError: bad input, an area too large for a map, too many frames or cells; nothing was written.
        CancelledError: stopped; nothing was written.
    """
    system = map_system(chosen.crs, aoi.geometry)
    if chosen.cell_m is not None:  # said before any work
        plan_raster(aoi.geometry, system, chosen.cell_m, most_cells=MOST_CELLS)
    grid = plan_grid(aoi, settings.resolution_m, settings.grid)
    if not isinstance(grid, Grid):
        raise _too_wide(grid)
    job = Job(loaded, grid, aoi, settings, cache_dir or default_cache_folder(), feedback, total=1, warm=warm)
    found = job.features(source)
    times = [time_s for _, time_s, state in found.frames if state is FrameState.LOCATED]
    if not times:
        raise VideoError(
            f"{source.path.name} has no readable frame in the stretch asked for: check that it plays, or choose another stretch."
        )
    if chosen.bands == "frames" and len(times) > MOST_BANDS:
        raise InputError(
            f"{len(times):,} frames are more bands than the {MOST_BANDS} that a map holds; take a lower --fps, --from and --to, or --bands video."
        )
    job.feedback.check()
    job.area_search.prepare()
    most = min(MOST_CELLS, job.area_search.most_places, MOST_VALUES // (len(times) if chosen.bands == "frames" else 1))
    plan = plan_raster(aoi.geometry, system, chosen.cell_m or settings.resolution_m, most_cells=most, widen=chosen.cell_m is None)
    posterior = _posterior(job, plan, found.features, np.array(times), found.local)
    if chosen.bands == "video":
        bands = [(f"{source.name}: {len(times)} frames", {"frames": str(len(times))}, *posterior.mean())]
    peaks: list[FloatArray] = []
    first: list[FloatArray] = []

    def told() -> Iterator[tuple[str, dict[str, str], FloatArray]]:
        for description, tags, values, peak in bands if chosen.bands == "video" else _frame_bands(source, times, posterior):
            peaks.append(plan.lat_lon_deg[peak])
            first.extend([] if first else [values])
            yield description, tags, values

    count = 1 if chosen.bands == "video" else len(times)
    write_raster(output, plan, told(), count, _tags(source, loaded, settings, chosen, grid, posterior), overwrite=overwrite)
    if png:
        write_raster_picture(
            png, plan, first[0], aoi.geometry, source.name if count == 1 else f"{source.name}, first frame", overwrite=overwrite
        )
    notes = [*aoi.notes, *job.area_search.notes]
    if settings.decoder != posterior.decoder:
        notes.append("This checkpoint's frames keep their own answers: the map shows each frame by itself.")
    cover, ground = job.area_search.cover(), loaded.calibration.ground
    if ground is not None and cover is not None and not ground.knows(cover.lat_lon_deg, cover.spacing_m).any():
        notes.append(f"The map's numbers are no probabilities: {why_unknown(ground, cover.lat_lon_deg)}")
    if said := loaded.calibration.cannot_tell:
        notes.append(f"The map ranks places, its numbers are no probabilities: this checkpoint cannot tell how sure to be, as {said}.")
    return Heatmap(output, count, plan, np.array(peaks), notes, posterior.decoder, posterior.temperature)


def _too_wide(grid: WideGrid) -> InputError:
    return InputError(
        f"The area ({grid.area_m2 / 1e6:,.0f} km²) is too large for a heat map at {grid.resolution_m:g} m: it would be searched by a beam, which knows "
        "no posterior between its places; give a smaller area or a coarser resolution."
    )


class _Posterior(Protocol):
    """Frames' probabilities over a map's cells, and the number of the cell at each one's peak."""

    decoder: str
    temperature: float

    def frames(self) -> Iterator[tuple[FloatArray, int]]:
        """(Q,) float64 of each frame, 1 in sum."""

    def mean(self) -> tuple[FloatArray, int]:
        """(Q,) over all frames."""


def _posterior(job: Job, plan: RasterPlan, features: FloatArray, time_s: FloatArray, local: LocalRows | None) -> _Posterior:
    """All frames decoded together, or each by itself where that is asked for or the checkpoint's answers are so."""
    queries, calibration = job.retrieve(torch.from_numpy(features))[2], job.loaded.calibration
    if job.settings.decoder == "none" or job.area_search.cover() is None:
        return _FrameByFrame(job, plan, queries)
    solver = PosteriorDecoder(job.loaded.model, job.area_search, calibration)
    if not solver.seeks_line:
        return _FrameByFrame(job, plan, queries)
    job.feedback.tell(0.95, "map", "decoding all frames together")
    return _Together(
        job,
        plan,
        solver,
        solver.marginal(
            solver.read(Emissions(job.loaded.model, features, queries, time_s=time_s, local=local)), time_s, job.feedback.check
        ),
    )


class _Together:
    """Marginals over the cover, laid into the cells.

    A place's mass is shared among the parts of cells that it is the nearest place to, by their areas; where it is so to none, the nearest cell has it. So a map of
    small cells is as blocky as the cover is coarse, and none is lost in one of large cells.
    """

    def __init__(self, job: Job, plan: RasterPlan, solver: PosteriorDecoder, marginal: sparse.csr_matrix) -> None:
        self._job, self._marginal = job, marginal
        self.decoder, self.temperature = "hmm", solver.path.emission.temperature
        places, cells = (unit_vectors(*one.T) for one in (solver.cover.lat_lon_deg, plan.lat_lon_deg))
        self._nearest_cell = cKDTree(cells).query(places)[1]
        tree, count = cKDTree(places), len(places)
        parts = int(np.clip(np.sqrt(_PARTS / len(cells)), 1, _MOST_PARTS))
        shares = sparse.csr_matrix((count, len(cells)))
        for lat_lon_deg in plan.parts(parts):
            owner = tree.query(unit_vectors(*lat_lon_deg.T))[1]
            shares += sparse.csr_matrix((plan.area_m2, (owner, np.arange(len(cells)))), shape=(count, len(cells)))
        area_m2 = np.asarray(shares.sum(axis=1))[:, 0]
        alone = np.flatnonzero(area_m2 == 0)
        shares = sparse.diags_array(1.0 / np.where(area_m2 > 0, area_m2, 1.0)) @ shares
        self._unknown = solver.unknown_mass
        self._shares = shares + sparse.csr_matrix((np.ones(len(alone)), (alone, self._nearest_cell[alone])), shape=shares.shape)

    def frames(self) -> Iterator[tuple[FloatArray, int]]:
        total = self._marginal.shape[0]
        for row in range(total):
            self._job.feedback.check()
            yield self._laid(self._marginal[row])
            self._job.feedback.tell(0.97 + 0.03 * (row + 1) / total, "map", f"{row + 1} of {total} frames")

    def mean(self) -> tuple[FloatArray, int]:
        self._job.feedback.check()
        return self._laid(sparse.csr_matrix(self._marginal.mean(axis=0)))

    def _laid(self, mass: sparse.csr_matrix) -> tuple[FloatArray, int]:
        values: FloatArray = np.asarray((mass.astype(np.float64) @ self._shares).todense()).ravel() + self._unknown @ self._shares
        return values / values.sum(), int(self._nearest_cell[mass.indices[mass.data.argmax()]])


class _FrameByFrame:
    """Each frame's own posterior by the networks alone, some frames at a time."""

    def __init__(self, job: Job, plan: RasterPlan, queries: torch.Tensor) -> None:
        self._job, self._queries = job, queries
        self.decoder, self.temperature = "none", job.loaded.calibration.temperature
        self._area_m2, self._log_area = plan.area_m2, torch.from_numpy(np.log(plan.area_m2))
        self._score: Callable[[torch.Tensor], torch.Tensor] = job.area_search.scorer(plan.lat_lon_deg)
        self._rows = max(1, _SCORES_AT_ONCE // len(plan.area_m2))

    def frames(self) -> Iterator[tuple[FloatArray, int]]:
        total = len(self._queries)
        for begin in range(0, total, self._rows):
            self._job.feedback.check()
            score = self._score(self._queries[begin : begin + self._rows]).double().cpu() / self.temperature + self._log_area
            yield from ((values, self._peak(values)) for values in torch.softmax(score, dim=1).numpy())
            self._job.feedback.tell(
                0.95 + 0.05 * min(begin + self._rows, total) / total, "map", f"{min(begin + self._rows, total)} of {total} frames"
            )

    def mean(self) -> tuple[FloatArray, int]:
        total = np.zeros(len(self._log_area))
        for values, _ in self.frames():
            total += values
        return total / total.sum(), self._peak(total)

    def _peak(self, values: FloatArray) -> int:
        return int((values / self._area_m2).argmax())


def _frame_bands(source: VideoInfo, times: list[float], posterior: _Posterior) -> Iterator[tuple[str, dict[str, str], FloatArray, int]]:
    for time_s, (values, peak) in zip(times, posterior.frames(), strict=True):
        moment = (source.start_time + timedelta(seconds=time_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield f"{source.name} {time_s:.3f} s ({moment})", {"time_s": f"{time_s:.6f}", "time": moment}, values, peak


def _tags(
    source: VideoInfo, loaded: Loaded, settings: GeolocateSettings, chosen: HeatmapSettings, grid: Grid, posterior: _Posterior
) -> dict[str, Any]:
    """What made the map: no user name, no absolute path."""
    return {
        "vidtag_what": "probability a cell; 1 in sum over the area in every band",
        "vidtag_video": source.name,
        "vidtag_video_sha256": source_digest(source.path),
        "vidtag_time_source": source.time_source.value,
        "vidtag_checkpoint": loaded.card.name,
        "vidtag_checkpoint_sha256": loaded.card.sha256,
        "vidtag_decoder": posterior.decoder,
        "vidtag_temperature": repr(posterior.temperature),
        "vidtag_similarity": loaded.calibration.similarity,
        "vidtag_calibration_frames": str(loaded.calibration.n_frames),
        "vidtag_settings": {**settings.result_key(), **chosen.model_dump(mode="json")},
        "vidtag_gallery": grid.to_summary(),
    }


def run_heatmap(
    arguments: HeatmapArguments,
    *,
    feedback: Feedback = Feedback(),
    log: Callable[[str, str], None] | None = None,
    warm: Warm | None = None,
) -> dict[str, Any]:
    """What the command line and the worker call: text in, plain JSON values out.

    Raises:
        InputError, CancelledError: as :func:`heatmap`.
    """
    given = asdict(arguments)
    settings: GeolocateSettings = validated(
        GeolocateSettings, {name: given[name] for name in GeolocateSettings.model_fields if name in given}
    )
    chosen: HeatmapSettings = validated(HeatmapSettings, {name: given[name] for name in HeatmapSettings.model_fields})
    output, png = Path(arguments.output), Path(arguments.png) if arguments.png else None
    for path, kinds in ((output, (".tif", ".tiff")), (png, (".png",))):
        if path is not None and path.suffix.lower() not in kinds:
            raise InputError(f"{path.name} must end in {' or '.join(kinds)}: give a name such as {path.stem or 'map'}{kinds[0]}.")
    check_files("heatmap", given)
    if (arguments.video is None) == (arguments.images is None):
        raise InputError("A heat map is of one video or one folder of images: give exactly one of them.")
    feedback.tell(0.0, "loading", "reading the area and the checkpoint")
    aoi = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs)
    infos, _ = open_all([arguments.video] if arguments.video else [], [arguments.images] if arguments.images else [], settings)
    loaded = (warm or Warm()).checkpoint(arguments.checkpoint, settings.device, feedback)
    made = heatmap(infos[0], aoi, loaded, output, settings, chosen, png=png, overwrite=arguments.overwrite, feedback=feedback, warm=warm)
    if log:
        for line in made.notes:
            log("warning", line)
    feedback.tell(1.0, "done", output.name)
    return {
        "output": str(output),
        "png": str(png) if png else None,
        "bands": made.bands,
        "columns": made.plan.shape[1],
        "rows": made.plan.shape[0],
        "cells_inside": len(made.plan.area_m2),
        "cell_m": round(math.sqrt(float(np.median(made.plan.area_m2))), 3),
        "crs": made.plan.crs.to_string(),
        "temperature": made.temperature,
        "decoder": made.decoder,
        "peaks_lat_lon_deg": np.round(made.peak_lat_lon_deg, 7).tolist(),
        "warnings": made.notes,
    }
