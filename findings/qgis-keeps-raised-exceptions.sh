#!/usr/bin/env bash
# QGIS never lets go of a QgsProcessingException that an algorithm written in Python raised, nor of what its frames hold.
#
# Expected: once the caller has handled the exception, everything that the failed run had in its variables goes, by reference count or by
# the garbage collector. Seen on QGIS 3.22 (Debian 12): what turns Python's exception into one of C++ fetches it and keeps its
# references for good. No Python object refers to it any more, and a full collection does not free it. With it stay its traceback, the
# frames in it, the callers of those frames and every variable of all of them: an open layer keeps its file open, an array its memory, once
# a failed run. A layer of a file that is still there when QGIS has ended closes itself through libraries that have ended too.
# An algorithm that returns leaves nothing. The traceback is kept apart from the exception, whose __traceback__ is None, so it cannot be cut
# there: whoever raises must let go of variables first (`del`), or clear the frames afterwards.
# Later versions were not tried: the script says which it met.
set -euo pipefail
/usr/bin/python3 -c "import qgis.core" 2>/dev/null || { echo "Needs Debian's python3-qgis."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work /usr/bin/python3 - <<'PY'
import gc
import sys
import types
import weakref
from qgis.core import Qgis, QgsApplication, QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

application = QgsApplication([], False)
application.initQgis()


class Thing:
    """Stands for a layer or an array."""


kept = {}
raised = []


class Algorithm(QgsProcessingAlgorithm):
    def __init__(self, fails):
        super().__init__()
        self.fails = fails

    def name(self):
        return "example"

    displayName = name

    def createInstance(self):
        return Algorithm(self.fails)

    def initAlgorithm(self, configuration=None):
        pass

    def processAlgorithm(self, parameters, context, feedback):
        thing = Thing()
        kept[self.fails, "the algorithm's"] = weakref.ref(thing)
        if self.fails:
            error = QgsProcessingException("no such video")
            raised.append(weakref.ref(error))
            raise error
        return {}


def caller(fails):
    thing = Thing()
    kept[fails, "its caller's"] = weakref.ref(thing)
    algorithm = Algorithm(fails)
    try:
        algorithm.run({}, QgsProcessingContext(), QgsProcessingFeedback(), catchExceptions=False)
    except QgsProcessingException:
        pass


for fails in (False, True):
    caller(fails)
gc.collect()
seen = {key: found() is not None for key, found in kept.items()}
for (fails, whose), alive in seen.items():
    print("QGIS", Qgis.QGIS_VERSION, f"{'raised' if fails else 'returned':8} {whose:16} variable is {'still there' if alive else 'gone'}")
error = raised[0]()
referrers = [] if error is None else [found for found in gc.get_referrers(error) if found is not sys._getframe()]
print("the exception is", "gone" if error is None else f"there; referred to by {[type(found).__name__ for found in referrers if found is not globals()]}")
frame = None
if error is not None:
    print("its own traceback is", error.__traceback__)
    frame = next(found.tb_frame for found in gc.get_objects() if isinstance(found, types.TracebackType))
    error.__context__ = error.__cause__ = None
    gc.collect()
cut = [whose for (fails, whose), found in kept.items() if found() is not None]
print("after it was cut from all else there are still", cut)
if frame is not None:
    frame.clear()
cleared = [whose for (fails, whose), found in kept.items() if found() is not None]
print("after the algorithm's frame was cleared there are still", cleared)
if list(seen.values()) != [False, False, True, True] or error is None or len(cut) != 2 or cleared != ["its caller's"]:
    sys.exit("this has changed: QGIS lets go of what was raised")
error = frame = None
application.exitQgis()
PY
echo "As described: what an algorithm raised stays, with the variables of its frames."
