"""A table of videos: what is read of it, from whichever format, and the one sentence for whatever is wrong."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import geopandas
import pandas as pd
import pyogrio
import pytest
import shapely

from vidtag_engine.types import InputError
from vidtag_engine.video import files_of_rows, read_video_table, video_rows


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "b, c.mp4", "clips/d.mp4"):
        (tmp_path / name).write_bytes(b"x")
    geopandas.GeoDataFrame(geometry=[shapely.box(13.1, 55.6, 13.3, 55.8)], crs="EPSG:4326").to_file(tmp_path / "town.geojson")
    return tmp_path


def test_every_column_is_read_and_empty_cells_say_nothing(folder):
    (folder / "t.csv").write_text(
        'file,start_time,from,to,area\na.mp4,2026-05-01T12:30:00+02:00,10,12.5,town.geojson\n"b, c.mp4",2026-05-01 14:30,,,\n,,,,\nclips/d.mp4,,,90,\n'
    )
    first, second, third = read_video_table(folder / "t.csv", ZoneInfo("Europe/Stockholm"))
    assert (first.path, first.from_s, first.to_s) == (folder / "a.mp4", 10.0, 12.5)
    assert first.start_time == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)
    assert first.area == str(folder / "town.geojson")
    # The second's has no zone of its own: it is in the run's.
    assert second.start_time == datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    assert (second.path.name, second.from_s, second.to_s, second.area) == ("b, c.mp4", None, None, None)
    assert third.where == "row 4 of t.csv (clips/d.mp4)"
    assert set(files_of_rows([first, third])) == {str(folder / "a.mp4"), str(folder / "town.geojson"), str(folder / "clips/d.mp4")}


@pytest.mark.parametrize(
    "text",
    [
        "file\na.mp4\nclips/d.mp4\n",
        "\ufefffile;from\na.mp4;\nclips/d.mp4;3\n",
        "File\tFROM\r\na.mp4\r\nclips/d.mp4\t3\r\n",
        "sep=;\nfile;to\na.mp4;\nclips/d.mp4;9\n",
    ],
)
def test_tables_of_text_as_programs_write_them(folder, text):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    assert [row.path.name for row in read_video_table(folder / "t.csv")] == ["a.mp4", "d.mp4"]


@pytest.mark.parametrize("name", ["t.gpkg", "t.xlsx", "t.ods"])
def test_a_geopackage_and_spreadsheets_say_the_same(folder, name):
    table = pd.DataFrame(
        {
            "file": ["a.mp4", "clips/d.mp4"],
            "start_time": pd.to_datetime(["2026-05-01T10:30:00Z", None]),
            "from": [10.0, float("nan")],
            "to": [20, 30],
        }
    )
    pyogrio.write_dataframe(table, folder / name, layer="drives")
    for given in (folder / name, f"{folder / name}|layername=drives"):
        first, second = read_video_table(given)
        assert (first.start_time, first.from_s, first.to_s) == (datetime(2026, 5, 1, 10, 30, tzinfo=UTC), 10.0, 20.0)
        assert (second.path, second.start_time, second.from_s, second.to_s) == (folder / "clips/d.mp4", None, None, 30.0)


def test_a_layer_is_chosen_where_a_file_has_several(folder):
    for layer in ("drives", "walks"):
        pyogrio.write_dataframe(pd.DataFrame({"file": ["a.mp4"]}), folder / "t.gpkg", layer=layer, append=layer == "walks")
    with pytest.raises(InputError, match=r"several layers: say which .*t.gpkg\|layername=drives"):
        read_video_table(folder / "t.gpkg")
    with pytest.raises(InputError, match="no layer 'rides': choose one of drives, walks"):
        read_video_table(f"{folder / 't.gpkg'}|layername=rides")
    assert len(read_video_table(f"{folder / 't.gpkg'}|layername=walks")) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file\nc.mp4\n", r"Row 1 of t\.csv \(c\.mp4\), column file: .*c\.mp4 is not there"),
        ("file,from\na.mp4,\n,3\n", r"Row 2 of t\.csv has nothing in the column file"),
        ("file,start_time\na.mp4,noon\n", r"Row 1 of t\.csv \(a\.mp4\), column start_time: 'noon' is not an ISO 8601 time"),
        ("file,from\na.mp4,soon\n", r"column from: 'soon' is no number of seconds"),
        ("file,from\na.mp4,-1\n", r"column from: '-1' is no number of seconds"),
        ("file,to\na.mp4,inf\n", r"column to: 'inf' is no number of seconds"),
        ("file,from,to\na.mp4,9,9\n", r"Row 1 of t\.csv \(a\.mp4\), column to: the stretch ends at 9 s and begins at 9 s"),
        ("file,area\na.mp4,moon.geojson\n", r"Row 1 .*column area: .*moon\.geojson is not there"),
        ("file,colour\na.mp4,red\n", r"column 'colour': take it out, known are file, start_time, from, to, area"),
        ("video,from\na.mp4,1\n", r"column 'video': take it out"),
        ("from,to\n1,2\n", "has no column file"),
        ("file,from\na.mp4,\nclips/../a.mp4,5\n", r"Row 2 of t\.csv \(clips/\.\./a\.mp4\) names the file of row 1 again"),
        ("file,from,from\na.mp4,1,2\n", "two columns 'from'"),
        ("file\na.mp4,3\n", r"Row 1 of t\.csv has 2 cells and the header 1: put a path with a comma in quotes"),
        ("file\n", "has no rows"),
        ("", "has no column file"),
        ("\0", "not a text table"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_row_and_column(folder, text, said):
    (folder / "t.csv").write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_video_table(folder / "t.csv")
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_there_or_none(folder):
    with pytest.raises(InputError, match="is not there"):
        read_video_table(folder / "u.csv")
    (folder / "u.gpkg").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"the table of videos u\.gpkg"):
        read_video_table(folder / "u.gpkg")


def test_rows_as_a_frame_has_them(folder):
    frame = pd.DataFrame({"file": ["a.mp4", "clips/d.mp4"], "start_time": [pd.Timestamp("2026-05-01"), pd.NaT], "to": [None, 4]})
    first, second = video_rows(frame.to_dict("records"), folder, "the table")
    assert (first.start_time, first.to_s) == (datetime(2026, 5, 1, tzinfo=UTC), None)
    assert (second.start_time, second.to_s) == (None, 4.0)
