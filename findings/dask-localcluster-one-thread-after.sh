#!/usr/bin/env bash
# After a Dask LocalCluster has ended, every later child process of the program computes with one thread.
#
# Expected: what a LocalCluster sets for its workers, such as OMP_NUM_THREADS=1, is set for its workers, and ends with it. Seen in distributed 2025.2.0
# and 2026.8.0: its nannies write OMP_NUM_THREADS, MKL_NUM_THREADS and OPENBLAS_NUM_THREADS = 1 into the environment of the calling process before
# they start workers (so that libraries see them when they are loaded), and with them PYTHONHASHSEED. They stay there after the cluster was closed. A
# PyTorch, OpenCV or FFmpeg that is started later as a subprocess then uses one core, and its hashes are no longer random; nothing says so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS PYTHONHASHSEED
cat > "$work/cluster.py" <<'PY'
import os
import subprocess
import sys

import distributed

NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")

if __name__ == "__main__":
    before = {name: os.environ.get(name) for name in NAMES}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, distributed.Client(cluster) as client:
        assert client.submit(sum, [1, 2]).result() == 3
    after = {name: os.environ.get(name) for name in NAMES}
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))"], capture_output=True, text=True, check=True
    ).stdout.strip()
    print("distributed", distributed.__version__, "before:", before, "after:", after, "a later child's OMP_NUM_THREADS:", child)
    if any(before.values()) or any(after[name] != "1" for name in NAMES[:3]) or not after["PYTHONHASHSEED"] or child != "1":
        sys.exit("this has changed: the environment is as it was")
PY
for version in 2025.2.0 2026.8.0; do
  python3 -m venv --clear "$work/venv" >/dev/null
  "$work/venv/bin/pip" install -q --disable-pip-version-check "distributed==$version" "dask==$version"
  (cd "$work" && "$work/venv/bin/python" cluster.py)
done
echo "As described: the environment of a cluster's workers stays in the caller's."
