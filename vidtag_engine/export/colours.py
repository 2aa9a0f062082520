"""The one colour ramp of every output: the QGIS styles, the KML and the map picture.

Five classes of viridis, turned round: a careful yellow for the least sure, a dark violet for the surest, so that on a light map the sure
parts stand out. Its lightness falls steadily, so it reads in grey and with any colour blindness.

No imports beyond the standard library: ``tools/make_styles.py`` reads this file inside QGIS's Python.
"""

from __future__ import annotations

import math

# Lower edges of the classes of confidence; the last class ends at 1.
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8)
COLOURS = ("#ece51b", "#5ec962", "#21918c", "#38588c", "#471365")
# The class after them: a place whose probability nothing has calibrated. Pale and bluish: neither an end of the ramp nor the grey of what is damaged.
NOT_RATED = len(COLOURS)
NOT_RATED_WORDS = "Not rated"
CLASS_COLOURS = (*COLOURS, "#aeb6ea")
# What the classes of each layer answer, as the head of its legend; a result's own radius takes the place of these words.
RADIUS_WORDS = "the confidence radius"
QUESTIONS = {
    "frames": f"Probability that the camera was within {RADIUS_WORDS} of the point",
    "trajectory": f"Probability that the camera was within {RADIUS_WORDS}, at the less sure end",
    "videos": f"Mean probability that the camera was within {RADIUS_WORDS} of the point",
    "places": "Probability that the video was taken here",
}
# Two casings: the dark one keeps the yellow end visible on paper, the light one around it the violet end on imagery.
OUTLINE = "#444444"
CASING = "#ffffff"
# Answers that are not given, or given in spite of a doubt: by the state's name, colour and words.
STATES = {
    "outside_aoi": ("#cc3311", "Not in this area"),
    "unfamiliar": ("#ee7733", "Unlike what was trained on"),
    "unknown_ground": ("#5c3317", "Unknown ground"),
    "damaged": ("#888888", "Damaged"),
}
REGION_COLOURS = {50: "#3b78a8", 90: "#9ec3dd"}
# The two ends of a video's way.
START_COLOUR, END_COLOUR = "#1fa22e", "#d7191c"
AOI_COLOUR = "#8a8a8a"
TRUTH_COLOUR = "#d55e00"


def class_of(confidence: float) -> int:
    """Number of the colour class; what is not a number is not rated."""
    if math.isnan(confidence):
        return NOT_RATED
    return max(i for i, edge in enumerate(EDGES) if i == 0 or confidence >= edge)


def class_label(number: int) -> str:
    """Words for a class, such as "60-80 %"."""
    if number == NOT_RATED:
        return NOT_RATED_WORDS
    upper = EDGES[number + 1] if number + 1 < len(EDGES) else 1.0
    return f"{EDGES[number] * 100:.0f}–{upper * 100:.0f} %"
