"""A command imports what it uses: parts of libraries that take a second to import, and that no geolocation needs, are not there at its end."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
UNUSED = (
    "torch._dynamo",
    "sympy",
    "scipy.stats",
    "sklearn",
    "matplotlib",
    "rasterio",
    "fiona",
    "transformers",
    "huggingface_hub",
    "open_clip",
)


@pytest.mark.slow
def test_geolocating_imports_no_compiler_no_statistics_and_no_plots(tmp_path):
    given = [
        DEMO / "drive.mp4",
        "--aoi",
        DEMO / "aoi.geojson",
        "--checkpoint",
        DEMO / "checkpoint",
        "--resolution-m",
        "25",
        "--device",
        "cpu",
    ]
    script = (
        "import sys\nfrom vidtag_engine.cli import main\n"
        f"sys.argv = ['vidtag', 'geolocate', *{[*map(str, given), '--to', '2', '--output', str(tmp_path / 'a.gpkg')]!r}]\n"
        "try:\n    main()\nexcept SystemExit as error:\n    assert not error.code, error\n"
        f"print('imported:', *({{*sys.modules}} & {set(UNUSED)!r}))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1].strip() == "imported:", run.stdout
