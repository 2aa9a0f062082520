#!/usr/bin/env bash
# A clip that was cut without encoding: FFmpeg says its telemetry up to one sample too early, though the file says it right.
#
# A recording with a telemetry track of one sample a second (as GoPro's and DJI's have) is cut at 3.2 s with -c copy.
# What was said at 4.0 s of the recording belongs to 0.8 s of the clip. Expected: every reader says 0.8.
# Seen with Debian 12's FFmpeg 5.1 and with PyAV 18.1.0 (FFmpeg 8.1): the packet's time is 0.0, while the first picture is
# rightly the one of 3.2 s. The file is not at fault: its edit list begins 0.2 s into the sample, and with the demuxer's
# option advanced_editlist=0 the time is 0.8. By default the demuxer moves the track to the start of that sample; of
# pictures it marks those that are not shown, and these stay right. So a truth from a clip's own telemetry is late or
# early by anything up to a second, 15 m at the speed of a car, a different amount in each clip.
# A subtitle track stands in for the telemetry here: FFmpeg treats data tracks the same.
set -euo pipefail
command -v ffmpeg >/dev/null || { echo "Needs ffmpeg."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy
for second in 0 1 2 3 4 5 6 7 8; do
  printf '%d\n00:00:0%d,000 --> 00:00:0%d,000\nfix %d\n\n' $((second + 1)) "$second" $((second + 1)) "$second"
done >"$work/fixes.srt"
ffmpeg -v error -f lavfi -i testsrc=rate=10:size=64x48:duration=9 -i "$work/fixes.srt" -c:v libx264 -g 10 -c:s mov_text "$work/whole.mp4"
ffmpeg -v error -ss 3.2 -i "$work/whole.mp4" -map 0 -c copy "$work/cut.mp4"
ffmpeg -version | head -1
ffprobe -v error -select_streams s -show_entries packet=pts_time -of csv=p=0 "$work/cut.mp4" | tr '\n' ' '; echo "ffprobe, as it is"
ffprobe -v error -advanced_editlist 0 -select_streams s -show_entries packet=pts_time -of csv=p=0 "$work/cut.mp4" | tr '\n' ' '
echo "ffprobe, with advanced_editlist=0"
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import av


def said(options):
    with av.open(f"{sys.argv[1]}/cut.mp4", options=options) as container:
        stream = container.streams.subtitles[0]
        return {bytes(p)[2:].decode(): float(p.pts * stream.time_base) for p in container.demux(stream) if p.size and p.pts is not None}


def pictures(name):
    with av.open(f"{sys.argv[1]}/{name}") as container:
        return [(frame.time, frame.to_ndarray(format="gray").astype(int)) for frame in container.decode(video=0)]


first_s, first = pictures("cut.mp4")[0]
begins_s = min((abs(picture - first).mean(), time_s) for time_s, picture in pictures("whole.mp4"))[1]
usual, written = said({})["fix 4"], said({"advanced_editlist": "0"})["fix 4"]
print(f"PyAV {av.__version__}: the clip's picture of {first_s:.1f} s is the recording's of {begins_s:.1f} s")
print(f"  what was said at 4.0 s: expected at {4.0 - begins_s:.1f} s of the clip, seen at {usual:.1f} s; with advanced_editlist=0 at {written:.1f} s")
assert abs(begins_s - 3.2) < 0.05 and abs(written - 0.8) < 0.05, "the file is cut in another way now"
assert abs(usual) < 0.05, "the demuxer says it at another time now"
PY
echo "As described: 0.8 s too early."
