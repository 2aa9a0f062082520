"""Nothing heavy is imported in QGIS: ``sys.modules`` before and after a whole run and the plugin's windows, in a fresh QGIS process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = {
    "torch", "torchvision", "cv2", "timm", "open_clip", "av", "rasterio", "fiona", "shapely", "geopandas", "pandas", "scipy", "sklearn", "PIL",
    "pyproj", "transformers", "openvino", "safetensors", "pydantic", "matplotlib", "vidtag_engine",
}  # fmt: skip
SCRIPT = """
import json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], "/usr/share/qgis/python/plugins"]
inputs, folder = Path(sys.argv[2]), Path(sys.argv[3])
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback
app = QgsApplication([], True)
app.initQgis()
from processing.core.Processing import Processing
Processing.initialize()
before = set(sys.modules)  # numpy is among them: QGIS loads it itself
import vidtag_qgis
plugin = vidtag_qgis.classFactory(None)
plugin.initProcessing()
algorithm = app.processingRegistry().createAlgorithmById("vidtag:geolocatevideo")
parameters = {
    "VIDEOS": [str(inputs / "a.mp4")], "EXTENT": "159.930,159.934,-19.222,-19.218 [EPSG:4326]", "CHECKPOINT": str(inputs / "checkpoint"),
    "RESOLUTION": 50, "RATE": 1, "OUTPUT": str(folder / "out.gpkg"), "FRAMES": str(folder / "frames.geojson"),
}
context = QgsProcessingContext()
assert algorithm.checkParameterValues(parameters, context) == (True, "")
results, done = algorithm.run(parameters, context, QgsProcessingFeedback(), {}, False)
from vidtag_qgis.gui.create_dialog import CreateEnvironmentDialog
from vidtag_qgis.gui.options import EngineOptionsPage
EngineOptionsPage()
CreateEnvironmentDialog()
new = sorted({name.split(".")[0] for name in set(sys.modules) - before})
print(json.dumps({"done": done, "located": results["LOCATED_COUNT"], "new": new, "all": sorted(name.split(".")[0] for name in sys.modules)}))
sys.stdout.flush()
import os
os._exit(0)  # QGIS's own end may crash a script that holds widgets
"""


@pytest.mark.slow
def test_a_run_and_the_windows_import_nothing_heavy(engine_here, inputs, tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT, encoding="utf-8")
    variables = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "profile")}
    variables.pop("PYTHONPATH", None)
    run = subprocess.run(
        [sys.executable, str(file), str(ROOT), str(inputs), str(tmp_path)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, run.stderr
    told = json.loads(lines[-1])
    assert told["done"]
    assert told["located"] == 6
    assert not HEAVY & set(told["new"])
    assert not {"torch", "cv2", "timm", "av", "rasterio"} & set(told["all"])
    assert set(told["new"]) - {"vidtag_qgis", "qgis"} <= set(sys.stdlib_module_names)
