"""The tool that makes the environments takes an older one over only where that holds all that is required."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("environment_tool", ROOT / "tools" / "environment.py")
environment = importlib.util.module_from_spec(spec)
spec.loader.exec_module(environment)


def test_this_environment_fulfils_what_it_was_made_for_and_not_more():
    required = environment.engine_requirements()
    assert environment.fulfils(Path(sys.executable), required)
    for more in ("torch>=99", "numpy<1", "there-is-no-such-package"):
        assert not environment.fulfils(Path(sys.executable), [*required, more])
    assert environment.fulfils(Path(sys.executable), ["there-is-no-such-package; python_version < '3'"])


def test_an_older_one_is_found_unless_it_lacks_something(tmp_path):
    made = tmp_path / "engine-000"
    made.mkdir()
    (made / "READY").touch()
    (made / "bin").mkdir()
    (made / "bin" / "python").symlink_to(sys.executable)
    new = tmp_path / "engine-111"
    assert environment.older(new, "engine", ["pip"], Path(sys.executable)) == made
    assert environment.older(new, "qgis", ["pip"], Path(sys.executable)) is None
    assert environment.older(new, "engine", ["there-is-no-such-package"], Path(sys.executable)) is None
    (made / "READY").unlink()
    assert environment.older(new, "engine", ["pip"], Path(sys.executable)) is None
