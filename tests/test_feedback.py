"""How long work says how far it is, and is stopped."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidtag_engine.feedback import Feedback
from vidtag_engine.types import CancelledError, Progress

ENGINE = Path(__file__).parents[1] / "vidtag_engine"


def test_nobody_waits_by_default():
    feedback = Feedback()
    assert feedback.part(0.2, 0.4) is feedback  # there is nobody to tell of a part
    feedback.tell(0.5, "search")
    feedback.check()  # raises only where somebody stopped it
    assert feedback == Feedback()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4), st.floats(0, 1))
def test_parts_of_parts_are_told_as_the_whole(spans, fraction):
    told = []
    part, begin, width = Feedback(told.append), 0.0, 1.0
    for span in spans:
        first, last = sorted(span)
        part, begin, width = part.part(first, last), begin + width * first, width * (last - first)
    part.tell(fraction, "frames", "a.mp4: frame 3")
    assert told == [Progress(pytest.approx(begin + width * fraction), "frames", "a.mp4: frame 3")]
    assert -1e-9 <= told[0].fraction <= 1.0 + 1e-9


def test_a_part_is_stopped_with_the_whole_and_says_the_sentence_nearest_to_it():
    stop = []
    whole = Feedback(cancelled=lambda: bool(stop)).saying("Stopped; nothing was written.")
    part = whole.part(0.0, 0.5)
    part.check()
    stop.append(1)
    with pytest.raises(CancelledError, match="^Stopped.$"):  # never without a word
        Feedback(cancelled=lambda: True).check()
    with pytest.raises(CancelledError, match="^Stopped; nothing was written.$"):
        part.check()
    with pytest.raises(CancelledError, match="^Stopped at step 3.$"):
        part.check("Stopped at step 3.")
    with pytest.raises(CancelledError, match="^Stopped while fitting.$"):
        part.saying("Stopped while fitting.").check()


def test_no_function_of_the_engine_takes_a_callback_for_progress_or_stopping_beside_it():
    found = [
        f"{path.relative_to(ENGINE)}:{node.lineno} {argument.arg}"
        for path in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.arg in {"cancelled", "progress"} and path.name not in {"worker.py", "worker_job.py"}
    ]
    assert found == []
