#!/usr/bin/env bash
# One and the same cut begins at 3.2 s in MP4 and at 0 s in Matroska, and both say that they begin at zero.
#
# ffmpeg -ss 3.2 -i drive -c copy, as everybody cuts a stretch out of a long drive. Copying can only begin at a key picture
# (here 0 s). Expected: the clips show the same, or say how far before the wish they begin.
# Seen with Debian 12's FFmpeg 5.1 and PyAV 18.1.0: MP4 hides the first 3.2 s by an edit list, so its picture at 0 is the
# recording's of 3.2 s; Matroska and MPEG-TS have no such list, show everything from the key picture on, and the first
# picture's time is 0 in Matroska as well. A track that is laid on the clip with "it starts 3.2 s into the drive" fits the
# one and is 3.2 s off with the other: 50 m at the speed of a car, and with key pictures ten seconds apart three times that.
set -euo pipefail
command -v ffmpeg >/dev/null || { echo "Needs ffmpeg."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
ffmpeg -v error -f lavfi -i testsrc2=rate=10:size=64x48:duration=9 -c:v libx264 -g 50 "$work/drive.mp4"
for ending in mp4 mkv ts; do ffmpeg -v error -ss 3.2 -i "$work/drive.mp4" -c copy "$work/clip.$ending"; done
ffmpeg -version | head -1
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import av


def pictures(name):
    with av.open(f"{sys.argv[1]}/{name}") as container:
        stream = container.streams.video[0]
        start_s = float((stream.start_time or 0) * stream.time_base)
        return [(frame.time - start_s, frame.to_ndarray(format="gray").astype(int)) for frame in container.decode(video=0)]


whole, seen = pictures("drive.mp4"), {}
for ending in ("mp4", "mkv", "ts"):
    clip = pictures(f"clip.{ending}")
    begins_s = min((abs(picture - clip[0][1]).mean(), time_s) for time_s, picture in whole)[1]
    seen[ending] = round(begins_s, 1)
    print(f"PyAV {av.__version__}, {ending}: {len(clip)} pictures; its picture of {clip[0][0]:.1f} s is the drive's of {begins_s:.1f} s")
assert seen == {"mp4": 3.2, "mkv": 0.0, "ts": 0.0}, "the clips begin elsewhere now"
PY
echo "As described: the same words cut at two moments."
