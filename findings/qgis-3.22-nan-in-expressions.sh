#!/usr/bin/env bash
# A number that is not a number is no number to the expressions of QGIS 3.22, and is not NULL to them either.
#
# A mean over nothing is NaN in numpy, and a Processing output or a column of doubles can carry it. Expected: comparisons with it
# are false, as in IEEE 754, or it counts as NULL. Seen on QGIS 3.22 (Debian 12): any operator or function that takes a double
# ends with "Cannot convert 'nan' to double", @x = @x among them; "is null" is false and coalesce() hands it on. So a condition
# on it is an error where NULL would take the other branch, and neither guard that people write catches it. Infinity likewise.
# Whoever gives such an output to a model must give NULL instead. Later versions were not tried: the script says which it met.
set -euo pipefail
/usr/bin/python3 -c "import qgis.core" 2>/dev/null || { echo "Needs Debian's python3-qgis."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work /usr/bin/python3 - <<'PY'
import math
import sys
from qgis.core import Qgis, QgsApplication, QgsExpression, QgsExpressionContext, QgsExpressionContextScope, QgsFeature, QgsField, QgsFields
from qgis.PyQt.QtCore import QVariant

application = QgsApplication([], False)
application.initQgis()
fields = QgsFields()
fields.append(QgsField("mean", QVariant.Double))
seen = {}
for name, value in (("NaN", math.nan), ("infinity", math.inf), ("NULL", None)):
    feature = QgsFeature(fields)
    feature.setAttributes([value])
    context = QgsExpressionContext()
    scope = QgsExpressionContextScope()
    scope.setVariable("mean", value)
    scope.setFeature(feature)
    scope.setFields(fields)
    context.appendScope(scope)
    for text in ("if(@mean > 0.5, 'sure', 'not')", "@mean = @mean", "@mean is null", "coalesce(@mean, 7)", "\"mean\" > 0.5"):
        expression = QgsExpression(text)
        found = expression.evaluate(context)
        seen[name, text] = expression.evalErrorString() or str(found)
        print("QGIS", Qgis.QGIS_VERSION, f"{name:8} {text:32} -> {seen[name, text]}")
del feature, scope, context
application.exitQgis()
for name, word in (("NaN", "nan"), ("infinity", "inf")):
    error = f"Cannot convert '{word}' to double"
    expected = {"if(@mean > 0.5, 'sure', 'not')": error, "@mean = @mean": error, "@mean is null": "0", "coalesce(@mean, 7)": word, '"mean" > 0.5': error}
    for text, said in expected.items():
        if seen[name, text] != said:
            sys.exit(f"this has changed: {name} {text} gives {seen[name, text]}")
if seen["NULL", "if(@mean > 0.5, 'sure', 'not')"] != "not" or seen["NULL", "coalesce(@mean, 7)"] != "7":
    sys.exit("this has changed: NULL takes no other branch")
PY
echo "As described: NaN is an error to operators, and no NULL to the guards against NULL."
