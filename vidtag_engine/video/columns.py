"""What the columns of a table of positions mean: by their names, with the units that stand in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Seconds per unit, by the words that people write behind a name: time_ms, "t [ms]", time(millisecond), elapsed (min).
_UNITS_S = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds", "nanos"), 1e-9),
    **dict.fromkeys(("us", "usec", "µs", "μs", "microsecond", "microseconds", "micros"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
}
# Seconds of the video; GoPro's composition time stamp counts milliseconds.
_ELAPSED = {
    "t", "elapsed", "elapsedtime", "timeelapsed", "videotime", "offset", "sampletime", "relativetime", "timesincestart", "playtime",
    "runningtime", "videooffset",
}  # fmt: skip
_CTS = "cts"
# A clock's time, or seconds where a unit or small numbers say so.
_MOMENT = (
    "time", "timestamp", "datetime", "timestamputc", "utc", "timeutc", "utctime", "datetimeutc", "utcdatetime", "exifdatetime", "gpsdatetime",
    "datetimegps", "unix", "unixtime", "unixtimestamp", "epoch", "epochtime", "posixtime", "begintime", "datetimeoriginal", "createdate",
    "creationtime", "subsecdatetimeoriginal", "gpstimestamp", "gpstime", "localtime", "isotime", "timeiso", "fixtime",
)  # fmt: skip
_DATE = ("date", "dateutc", "utcdate", "gpsdate", "gpsdatestamp", "day")
_LAT, _LON = ("lat", "latitude"), ("lon", "lng", "long", "longitude", "longtitude")
_NAME = ("image", "name", "file", "filename", "framename", "path", "img", "photo", "sourcefile", "imagename", "filepath", "picture")
_WKT = ("wkt", "wktgeom", "geometry", "geom")
# A name with one of these words speaks of a time; where it is not known of which, rows must not count as seconds instead.
_TIME_WORDS = {
    "time", "timestamp", "timecode", "tow", "itow", "week", "frame", "frames", "framecnt", "clock", "utc", "epoch", "date", "datetime", "millis",
    "seconds", "secs", "stamp", "hour", "minute", "second", "hhmmss", "daytime", "elapsed", "boot", "jd", "mjd", "timeboot",
}  # fmt: skip
# Clocks whose small numbers may be seconds of the video.
_PLAIN = {"time", "timestamp", "datetime"}
_WORDS = re.compile(
    r"^(?:i?tow|gpsweek|week|frames?|frame(?:cnt|count|index|number|id|no|num)|epoch.*|.*(?:time|timestamp|clock|utc|datetime)|date|.*seconds?|.*millis|ms|us|ns|msec|usec)$"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zµμ]+|\d+")


@dataclass(frozen=True)
class TimeColumn:
    """A column of times.

    Args:
        index: of the column.
        header: as it is written.
        unit_s: seconds per unit where the name says it; None where it does not.
        elapsed: whether the name says that it counts from the video's start.
        plain: whether a small number under this name is seconds of the video.
    """

    index: int
    header: str
    unit_s: float | None
    elapsed: bool
    plain: bool = False


@dataclass(frozen=True)
class Columns:
    """Which column is what; None for what is absent.

    Args:
        lat, lon: numbers of the columns.
        lat_ref, lon_ref: with N or S, E or W, where the numbers have no sign.
        wkt: points as text.
        elapsed: seconds of the video.
        moment: a clock's time.
        date: days, which ``moment`` may need.
        name: of images.
        video: which video a row is of, as this tool's own tables say.
        fix: whether the receiver had a lock (0: none).
        unknown: names that speak of a time, of which it is not known.
    """

    lat: int | None = None
    lon: int | None = None
    lat_ref: int | None = None
    lon_ref: int | None = None
    wkt: int | None = None
    elapsed: TimeColumn | None = None
    moment: TimeColumn | None = None
    date: int | None = None
    name: int | None = None
    video: int | None = None
    fix: int | None = None
    unknown: tuple[str, ...] = field(default=())


def recognise(header: list[str]) -> Columns:
    """Find out what each column is, by its name alone."""
    words = [_words(name) for name in header]
    plain = ["".join(each) for each in words]
    times = [_time(i, header[i], words[i]) for i in range(len(header))]
    elapsed = next((t for t in times if t is not None and t.elapsed), None)
    moments = [t for t in times if t is not None and not t.elapsed]
    # A clock's own text goes before what counts in a unit.
    moment = min(moments, key=lambda t: (t.unit_s is not None, t.index), default=None)
    date = _first(plain, _DATE)
    if elapsed is None and moment is None and date is not None:
        moment = TimeColumn(date, header[date], None, elapsed=False)
    lat, lon = _angle(plain, _LAT, "y"), _angle(plain, _LON, "x")
    if lat is None or lon is None:
        lat = lon = None
    unknown = tuple(
        header[i] for i in range(len(header)) if times[i] is None and i != date and plain[i] not in _NAME and _TIME_WORDS & set(words[i])
    )
    return Columns(
        lat=lat,
        lon=lon,
        lat_ref=_first(plain, ("gpslatituderef", "latituderef", "latref")),
        lon_ref=_first(plain, ("gpslongituderef", "longituderef", "lonref")),
        wkt=_first(plain, _WKT),
        elapsed=elapsed,
        moment=moment,
        date=date,
        name=_first(plain, _NAME),
        video=_first(plain, ("video",)),
        fix=_first(plain, ("fix", "gpsfix")),
        unknown=unknown,
    )


def seconds_column(header: list[str], columns: Columns) -> TimeColumn | None:
    """A column beside ``moment`` that counts in a unit, as a flight log's time(millisecond) beside its datetime(utc)."""
    times = (_time(i, name, _words(name)) for i, name in enumerate(header))
    return next((t for t in times if t is not None and t.unit_s is not None and not t.elapsed and t is not columns.moment), None)


def _words(name: str) -> list[str]:
    """Lower-case words of a name; exiftool's group before a colon is left out."""
    return [word.lower() for word in _WORDS.findall(name.rsplit(":", 1)[-1])]


def _time(index: int, name: str, words: list[str]) -> TimeColumn | None:
    whole = "".join(words)
    base, unit_s = ("".join(words[:-1]), _UNITS_S.get(words[-1])) if len(words) > 1 else ("", _UNITS_S.get(whole))
    if whole == _CTS or whole in _ELAPSED:
        return TimeColumn(index, name, 1e-3 if whole == _CTS else None if whole == "sampletime" else 1.0, elapsed=True)
    if whole in _MOMENT:
        return TimeColumn(index, name, None, elapsed=False, plain=whole in _PLAIN)
    if unit_s is None:
        return None
    if base == _CTS or base in _ELAPSED or (not base and len(whole) > 1):
        return TimeColumn(index, name, unit_s, elapsed=True)
    # time_s and time_ms count from the video's start unless they are as large as Unix times; time(millisecond) is a flight log's.
    elapsed, plain = base == "time" and "(" not in name, base in {"time", "timestamp"}
    return TimeColumn(index, name, unit_s, elapsed=elapsed, plain=plain) if plain or base in _MOMENT else None


def _angle(plain: list[str], names: tuple[str, ...], letter: str) -> int | None:
    for i, name in enumerate(plain):
        bare = re.sub(r"^(?:gps|position|exif|composite|wgs\d*)+", "", name)
        bare = re.sub(r"(?:deg|degs|degrees|degree|decimal|dd|wgs|epsg|\d+|ns|ew)+$", "", bare)
        if bare in names:
            return i
    return plain.index(letter) if letter in plain else None


def _first(plain: list[str], names: tuple[str, ...]) -> int | None:
    return next((plain.index(name) for name in names if name in plain), None)
