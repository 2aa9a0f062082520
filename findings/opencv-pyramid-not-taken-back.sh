#!/usr/bin/env bash
# OpenCV's Python cannot give its own optical-flow pyramids to its own optical flow.
#
# Expected: cv2.buildOpticalFlowPyramid makes the pyramid that cv2.calcOpticalFlowPyrLK takes in place of an image, as both functions' documentation
# says, so that a tracker that compares one picture with many builds its pyramid once. Seen in opencv-python-headless 4.11.0.86 and 5.0.0.93: the
# pyramid comes as a tuple of arrays, and calcOpticalFlowPyrLK refuses a tuple and a list of them ("not a numerical tuple", "not a numpy array"):
# its binding takes one array. Each call builds both pictures' pyramids anew.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 4.11.0.86 5.0.0.93; do
  python3 -m venv --clear "$work/venv" >/dev/null
  "$work/venv/bin/pip" install -q --disable-pip-version-check "opencv-python-headless==$version"
  "$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np

rng = np.random.default_rng(0)
picture = cv2.GaussianBlur(rng.integers(0, 256, (120, 160), dtype=np.uint8), (0, 0), 2.0)
moved = np.roll(picture, 2, axis=1)
points = np.float32([[[60, 50]], [[90, 70]]])
levels, pyramid = cv2.buildOpticalFlowPyramid(picture, (15, 15), 3)
_, other = cv2.buildOpticalFlowPyramid(moved, (15, 15), 3)
found, _, _ = cv2.calcOpticalFlowPyrLK(picture, moved, points, None, winSize=(15, 15), maxLevel=3)
print(cv2.__version__, "from pictures: moved by", np.round((found - points).reshape(-1, 2).mean(axis=0), 2), "; pyramid:", type(pyramid).__name__, "of", len(pyramid))
refused = []
for kind in (tuple, list):
    try:
        cv2.calcOpticalFlowPyrLK(kind(pyramid), kind(other), points, None, winSize=(15, 15), maxLevel=3)
    except cv2.error as error:
        refused.append(kind.__name__)
        print(kind.__name__, "refused:", str(error).strip().splitlines()[-1][:100])
if refused != ["tuple", "list"]:
    sys.exit("this has changed: a pyramid is taken")
PY
done
echo "As described: pyramids that are made and not taken back."
