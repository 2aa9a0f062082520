#!/usr/bin/env bash
# An enumeration of QGIS left its class in 3.34, and not even its name stayed.
#
# QGIS has moved most enumerations into Qgis, and keeps the older names: QgsProcessing.SourceType.TypeFile works from 3.22 to 4.
# Expected: QgsProcessingModelChildParameterSource.Source, the kind of a value in a model, works so too. Seen: in 3.22 it is there
# and Qgis.ProcessingModelChildParameterSource is not; in 3.40, 3.44 and the stubs of QGIS 4 it is the other way round, with no name in
# common. What works on all is to ask a value: fromStaticValue("").source(). The script says which QGIS it met.
set -euo pipefail
/usr/bin/python3 -c "import qgis.core" 2>/dev/null || { echo "Needs Debian's python3-qgis."; exit 2; }
QT_QPA_PLATFORM=offscreen /usr/bin/python3 - <<'PY'
import sys
from qgis.core import Qgis, QgsProcessing, QgsProcessingModelChildParameterSource as Source

older, newer = hasattr(Source, "Source"), hasattr(Qgis, "ProcessingModelChildParameterSource")
asked = Source.fromStaticValue("").source() == Source.fromStaticValue("x").source() != Source.fromExpression("1").source()
print("QGIS", Qgis.QGIS_VERSION, "older name:", older, "newer name:", newer, "asking a value:", asked)
if (older, newer) != (Qgis.QGIS_VERSION_INT < 33400, Qgis.QGIS_VERSION_INT >= 33400):
    sys.exit("this has changed: the two names are in other versions")
if not asked or not hasattr(QgsProcessing.SourceType, "TypeFile"):
    sys.exit("this has changed: a value cannot be asked, or an enumeration that kept its name has lost it")
PY
echo "As described: one name before 3.34, another after, none on both."
