"""What a checkpoint can and cannot tell, in plain sentences, said when it has been made."""

from __future__ import annotations

import math

from ..trajectory import LEAST_VIDEOS, Calibration


def what_it_tells(calibration: Calibration, validation_fraction: float = 0.15) -> list[str]:
    """Sentences for people.

    Args:
        calibration: of the checkpoint.
        validation_fraction: of the videos that training holds out: how many more it takes depends on it.
    """
    said = []
    of = calibration.path
    if of is not None and of.rated and not calibration.cannot_tell:
        said.append(f"It can say how sure to be: {of.videos} held-out videos calibrated its probabilities.")
    elif calibration.videos >= LEAST_VIDEOS:
        said.append(f"It cannot tell how sure to be, and shows no probability: {calibration.cannot_tell}.")
    else:
        needed = math.ceil(LEAST_VIDEOS / max(validation_fraction, 0.01))
        said.append(
            f"It cannot tell how sure to be, and shows no probability: {calibration.videos} videos were held out of the {LEAST_VIDEOS} that it takes;"
            f" train on about {needed}, or give {LEAST_VIDEOS} others to 'vidtag calibrate'."
        )
    novelty = (of.novelty if of else None) or calibration.novelty
    if novelty is not None and novelty.tells:
        rare = max(2, round(1.0 / novelty.rarest))
        said.append(f"It can tell videos unlike its training: those that look as unlike it as 1 of {rare} of its own are withheld.")
    else:
        said.append(
            "It cannot tell videos unlike its training: there were too few frames to compare with each other; train on longer or more videos."
        )
    out_of_area = (of.out_of_area if of else None) or calibration.out_of_area
    if out_of_area is not None and out_of_area.tells and out_of_area.withholds:
        said.append("It can tell videos that were taken on other ground of its training than the area that is searched.")
    else:
        said.append(
            "It cannot tell on which part of its training ground a video was taken where only a part is searched: no held-out video lies 500 m from another part;"
            " train on a larger area, or more videos."
        )
    if calibration.ground is not None:
        said.append(
            f"It knows the ground within {calibration.ground.reach_m:,.0f} m of its training videos{' and its training area' if calibration.ground.area else ''}."
        )
    return said
