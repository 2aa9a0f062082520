"""The paper's tables and figures in miniature, in the simulated isles.

Way through: ``rows`` and one module a table (``t01_main`` …, ``f07_throughput`` …, all in ``registry``) say which trainings (``runs``) there are; ``lab`` trains
(``train_retrieval``, ``train_classifier`` on ``data``) and places, each once (``store``); ``scores`` and ``table`` make numbers and Markdown of it; ``command``
is the whole, ``sweep`` chooses the learning rates on the dev world.
"""

from __future__ import annotations

from .command import run

__all__ = ["TITLE", "run"]

TITLE = "The paper's tables in miniature (simulated isles); --quick in half an hour, --only 4,7 for some"
