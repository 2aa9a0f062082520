#!/usr/bin/env bash
# The KLV value that means "no position" stops klvdata, and becomes a sentence in the field of its fork.
#
# MISB ST 0601 keeps the lowest 32-bit number of sensor latitude and longitude for "there is none": a turret that is
# looking up, or a receiver before its first fix, sends it in the midst of a flight. Expected: the packet is given with
# that field empty, and the packets after it as usual.
# Seen: klvdata 0.0.3 raises a ValueError without words from the loop over the stream, so that nothing of the rest of the
# flight is read; klv_parser 0.0.6, made from it, gives the text "0x80000000 (Standard error indicator)" where numbers
# stand otherwise, so that float() fails later and elsewhere. (It needs numpy, which its package does not name.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check klvdata==0.0.3 klv_parser==0.0.6 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import struct
import klv_parser, klvdata

KEY = bytes.fromhex("060E2B34020B01010E01030101000000")


def packet(lat, lon):
    """Tags 2, 13 and 14, and ST 0601's running checksum."""
    items = [(2, struct.pack(">Q", 1_777_636_800_000_000)), (13, struct.pack(">i", lat)), (14, struct.pack(">i", lon))]
    body = b"".join(bytes([tag, len(value)]) + value for tag, value in items)
    whole = KEY + bytes([len(body) + 4]) + body + b"\x01\x02"
    return whole + struct.pack(">H", sum(byte << (8 * ((at + 1) % 2)) for at, byte in enumerate(whole)) & 0xFFFF)


def degrees(value):
    return round(value * 2**31 / 90)


flight = packet(degrees(41.5), degrees(4.2)) + packet(-(2**31), -(2**31)) + packet(degrees(41.6), degrees(4.2))
seen = []
try:
    for found in klvdata.StreamParser(flight):
        seen.append(found.MetadataList()[13][3])
    ended = "the end"
except ValueError as error:
    ended = f"ValueError({str(error)!r})"
print("klvdata 0.0.3: latitudes", seen, "then", ended, "| expected three packets, the second without a latitude")
fork = [found.MetadataList()[13][3] for found in klv_parser.StreamParser(flight)]
print("klv_parser 0.0.6:", fork)
assert len(seen) == 1 and ended == "ValueError('')", "klvdata reads on now"
assert len(fork) == 3 and abs(float(fork[2]) - 41.6) < 1e-6 and fork[1].startswith("0x80000000"), "the fork gives something else now"
PY
echo "As described: one of three packets, or a text among numbers."
