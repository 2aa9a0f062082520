"""QGIS keeps an exception that an algorithm raised, with all that its frames hold: findings/qgis-keeps-raised-exceptions.sh."""

import gc
import os
import subprocess
import sys
import weakref

import pytest

from tests.qgis.common import ROOT, Told, algorithm_of, context_of

from qgis.core import QgsProcessingException  # isort: skip

pytestmark = pytest.mark.qgis


class Held:
    """Stands for a layer of an open file or for a result."""


@pytest.mark.parametrize("kind", ["QgsProcessingException", "AreaError"])
def test_a_failed_run_lets_go_of_what_it_held(plugin, monkeypatch, kind):
    from vidtag_qgis.algorithms import check_engine
    from vidtag_qgis.aoi import AreaError

    kept = []

    def work(self, parameters, context, feedback):
        held = Held()
        kept.append(weakref.ref(held))
        kept.append(weakref.ref(feedback))
        try:
            {}["the engine's own"]
        except KeyError as error:
            raise {"QgsProcessingException": QgsProcessingException, "AreaError": AreaError}[kind]("no such video") from error

    monkeypatch.setattr(check_engine.CheckEngine, "work", work)
    algorithm = algorithm_of("checkengine")

    def caller():
        with pytest.raises(QgsProcessingException, match="no such video"):
            algorithm.create().run({}, context_of(), Told(), catchExceptions=False)

    caller()
    gc.collect()
    assert len(kept) == 2
    assert kept[0]() is None
    monkeypatch.undo()


def test_a_process_that_expected_a_failure_ends_well(tmp_path):
    """The whole suite did not: a test held a layer of a file when the exception that it expected was kept."""
    (tmp_path / "test_inner.py").write_text(
        "import pytest\n"
        "from qgis.core import QgsProcessingException, QgsVectorFileWriter, QgsProject, QgsVectorLayer\n"
        "from tests.qgis.common import Told, algorithm_of, polygons, context_of, SQUARE\n"
        "from tests.qgis.conftest import *\n"
        "def test_inner(plugin, tmp_path, monkeypatch):\n"
        "    options = QgsVectorFileWriter.SaveVectorOptions()\n"
        "    options.driverName = 'GPKG'\n"
        "    path = str(tmp_path / 'a.gpkg')\n"
        "    QgsVectorFileWriter.writeAsVectorFormatV3(polygons(SQUARE), path, QgsProject.instance().transformContext(), options)\n"
        "    layer = QgsVectorLayer(path, 'a', 'ogr')\n"
        "    assert layer.isValid() and len(list(layer.getFeatures())) == 1\n"
        "    def work(*given):\n"
        "        raise QgsProcessingException('no such video')\n"
        "    monkeypatch.setattr('vidtag_qgis.algorithms.check_engine.CheckEngine.work', work)\n"
        "    with pytest.raises(QgsProcessingException, match='no such video'):\n"
        "        algorithm_of('checkengine').create().run({}, context_of(), Told(), catchExceptions=False)\n",
        encoding="utf-8",
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    assert "1 passed" in done.stdout
