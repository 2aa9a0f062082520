"""One picture of a video at a given time, as a file: what a window shows that cannot decode video itself."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from ..atomic import replacing
from ..feedback import Feedback
from ..file_marks import mark_of
from ..outputs import check_files
from ..types import InputError
from ..video import FrameReader, find_original, open_source

if TYPE_CHECKING:
    from ..command_arguments import PictureArguments
    from ..types import Frame, VideoInfo

_FORMATS = {".jpg": ("JPEG", {"quality": 90}), ".png": ("PNG", {})}
# Results keep times in milliseconds and as floats; a picture lasts longer than this.
_LATE_S = 0.001


def run_picture(arguments: PictureArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Write the picture that is on screen at ``time_s``; only what it needs is decoded.

    Returns:
        ``video``: the file (or folder of images) it is from; ``file``: the picture, None where its stretch of the video cannot be decoded;
        ``time_s``: the picture's own timestamp; ``width_px``, ``height_px``: of the upright picture, before it was made smaller.

    Raises:
        InputError: no such video, another one than that of the digest, nothing at this time, or the picture cannot be written.
        CancelledError: stopped; nothing was written.
    """
    output = Path(arguments.output)
    if output.suffix.lower() not in _FORMATS:
        raise InputError(f"The picture {output.name} must end in .jpg or .png.")
    if arguments.longest_px < 1:
        raise InputError(f"A picture of {arguments.longest_px} pixels cannot be seen: give at least 1.")
    check_files("picture", asdict(arguments))
    places = [Path(place) for place in arguments.videos]
    there = [place for place in places if place.exists()]
    if not there:
        raise InputError(f"The video {places[0] if places else '(none was given)'} is not there: say where it is.")
    images = arguments.kind == "images" or (arguments.kind == "auto" and there[0].is_dir())
    video = find_original(places[0].name, arguments.sha256, there, images=images)
    info = open_source(video, kind=arguments.kind)
    frame = frame_at(info, arguments.time_s, feedback)
    feedback.check()
    size = (info.width_px, info.height_px)
    if frame.image is not None:
        size = (frame.image.shape[1], frame.image.shape[0])
        _write(output, Image.fromarray(frame.image), arguments.longest_px, overwrite=arguments.overwrite)
    return {
        "video": str(video),
        "file": None if frame.image is None else str(output),
        "time_s": frame.time_s,
        "width_px": size[0],
        "height_px": size[1],
    }


def frame_at(info: VideoInfo, time_s: float, feedback: Feedback) -> Frame:
    """The picture that is on screen at a second of a video. Raises InputError where there is nothing at this time."""
    from_s = time_s + _LATE_S
    with FrameReader(info, 1.0, from_s, from_s + 0.5, feedback) as reader:
        return next(iter(reader))


def _write(output: Path, picture: Image.Image, longest_px: int, *, overwrite: bool) -> None:
    """Whole or not at all: a picture that is half there would be shown."""
    kind, options = _FORMATS[output.suffix.lower()]
    picture.thumbnail((longest_px, longest_px))
    mark: dict[str, Any] = {"exif": _exif()} if kind == "JPEG" else {"pnginfo": _text()}
    with replacing(output, "picture", overwrite=overwrite) as part:
        picture.save(part, format=kind, **options, **mark)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = mark_of("picture")
    return exif


def _text() -> PngInfo:
    text = PngInfo()
    text.add_text("Software", mark_of("picture"))
    return text
