"""The Kubernetes job of the page about many machines, run here with stand-ins for what Kubernetes sets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import docs_folder
from vidtag_engine.commands.merge import run_merge

PAGE = docs_folder.ROOT / "docs" / "how-to" / "many-machines.md"


@pytest.mark.slow
def test_an_indexed_job_does_every_video_once(tmp_path):
    job = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    place = docs_folder.prepared(tmp_path)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "vidtag"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vidtag_engine "$@"\n')
    program.chmod(0o755)
    variables = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(docs_folder.ROOT)}
    (container,) = job["spec"]["template"]["spec"]["containers"]
    for index in range(job["spec"]["completions"]):
        run = subprocess.run(
            container["command"],
            cwd=place,
            env={**variables, "JOB_COMPLETION_INDEX": str(index)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
    told = run_merge([place / "store-k8s"], Path(place) / "k8s.gpkg")
    assert (told["videos"], told["missing"]) == (2, [])
