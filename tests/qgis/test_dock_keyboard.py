"""The workbench by keyboard: every control is reached by Tab, in the order in which it is read, is seen to have the focus, and says what it is."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from tests.qgis.common import desktop_with_plugin, until
from vidtag_qgis.gui import workbench

pytestmark = pytest.mark.qgis
CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
PAGES = ("Locate", "Check frames", "Correct", "Landmarks", "Show")
PINS = [{"number": number, "kind": "here", "video": "drive.mp4", "time_s": number, "why": "", "who": ""} for number in (1, 2, 3)]
REVIEW = [{"number": 1, "video": "drive.mp4", "from_s": 2, "to_s": 9, "state": "accepted", "bookmark": True, "comment": "", "who": ""}]


@pytest.fixture
def dock(qgis_processing, engine_here, inputs, tmp_path):
    """The workbench with frames to look at, pins and judgements in its lists."""
    desktop = desktop_with_plugin()
    desktop.window.resize(1200, 1400)
    [action] = [one for one in desktop.tools if one.text() == workbench.TITLE]
    action.trigger()
    dock = desktop.plugin._actions.dock
    desktop.window.activateWindow()
    until(desktop.window.isActiveWindow, 5)
    dock.correct_panel._show_pins(PINS)
    dock.correct_panel._show_review(REVIEW, {})
    dock.correct_panel.set_moment("drive.mp4", 3.0)
    dock.view.set_rows(10)
    dock.view.bar.setVisible(True)  # as with a video
    dock.view.bar.show_visits([(1.0, 2.0)])
    dock.show_panel.place_labels["UTM"].setText("33U 1 2")
    yield dock
    desktop.plugin.unload()
    QgsProject.instance().clear()


def page_of(dock, number: int) -> QWidget:
    dock.tabs.setCurrentIndex(number)
    if number == PAGES.index("Landmarks"):
        dock.landmark_panel.pairs = [(1.0, 2.0, 3.0, 4.0)] * 4
        dock.landmark_panel._moment = ("drive.mp4", 3.0)
        dock.landmark_panel._changed()
    QgsApplication.processEvents()
    shown = dock.tabs.currentWidget()
    return shown.widget() if hasattr(shown, "widget") else shown


def controls_of(page: QWidget) -> list[QWidget]:
    """What a person may use there: seen, enabled, and no part of another control."""
    found = []
    for one in page.findChildren(QWidget):
        inside = any(isinstance(above, CONTROLS) for above in parents_of(one, page))
        if isinstance(one, CONTROLS) and not isinstance(one, QScrollBar) and one.isVisible() and one.isEnabled() and not inside:
            found.append(one)
    return found


def parents_of(widget: QWidget, top: QWidget) -> list[QWidget]:
    found = []
    above = widget.parentWidget()
    while above is not None and above is not top:
        found.append(above)
        above = above.parentWidget()
    return found


def walked(dock, page: QWidget, key=Qt.Key.Key_Tab) -> list[QWidget]:
    """What has the focus, one after another, from the tabs on until it leaves the page."""
    dock.tabs.tabBar().setFocus(Qt.FocusReason.TabFocusReason)
    seen: list[QWidget] = []
    for _ in range(200):
        QTest.keyClick(QApplication.focusWidget(), key)
        focus = QApplication.focusWidget()
        if focus is None or not page.isAncestorOf(focus) or focus in seen:
            return seen
        seen.append(focus)
    raise AssertionError(f"the focus never leaves {page}")


@pytest.mark.parametrize("number", range(len(PAGES)), ids=PAGES)
def test_tab_reaches_every_control_once_in_reading_order_and_leaves(dock, number):
    page = page_of(dock, number)
    seen, wanted = walked(dock, page), controls_of(page)
    assert len(wanted) >= (15 if number == 1 else 5)
    reached = {id(one) for one in seen} | {id(above) for one in seen for above in parents_of(one, page)}
    lacking = [one for one in wanted if id(one) not in reached and one.focusProxy() not in seen]
    assert not lacking, [(type(one).__name__, one.objectName() or getattr(one, "text", str)()) for one in lacking]
    places = [one.mapTo(page, QPoint(one.width() // 2, one.height() // 2)) for one in seen]
    for before, after, one in zip(places, places[1:], seen[1:]):  # noqa: B905 - Python 3.9
        down = after.y() > before.y() - 8
        assert down, f"{type(one).__name__} {one.accessibleName() or one.toolTip()} lies above the one before"
        assert after.y() > before.y() + 8 or after.x() > before.x(), f"{type(one).__name__} lies left of the one before"


@pytest.mark.parametrize("number", range(len(PAGES)), ids=PAGES)
def test_the_focus_is_seen(dock, number):
    page = page_of(dock, number)
    for one in walked(dock, page):
        if isinstance(one, QLineEdit):
            continue  # its cursor blinks
        page.setFocus()
        dock.tabs.tabBar().setFocus()
        QgsApplication.processEvents()
        without = one.grab().toImage()
        one.setFocus(Qt.FocusReason.TabFocusReason)
        QgsApplication.processEvents()
        assert one.grab().toImage() != without, (type(one).__name__, one.accessibleName() or getattr(one, "text", str)())


@pytest.mark.parametrize("number", range(len(PAGES)), ids=PAGES)
def test_every_control_says_what_it_is(dock, number):
    """By its text, its accessible name, or the words beside it in a form."""
    page = page_of(dock, number)
    from qgis.PyQt.QtWidgets import QFormLayout

    kept = []  # what is not kept is made anew, and is another object then
    for form in page.findChildren(QFormLayout):
        for row in range(form.rowCount()):
            label, item = form.itemAt(row, QFormLayout.ItemRole.LabelRole), form.itemAt(row, QFormLayout.ItemRole.FieldRole)
            if label is None or item is None or not label.widget().text():
                continue
            widget = item.widget()
            if widget is not None:
                kept += [widget, *widget.findChildren(QWidget)]
    named = {id(one) for one in kept}
    for one in controls_of(page):
        text = one.text() if isinstance(one, QAbstractButton) else ""
        said = one.accessibleName() or ("" if text.strip(".…") == "" else text)
        assert said or (id(one) in named and not isinstance(one, QAbstractButton)), (
            type(one).__name__, one.toolTip(), one.parentWidget(),
        )  # fmt: skip


def test_alt_and_a_digit_chooses_a_page(dock):
    dock.tabs.setCurrentIndex(0)
    dock.run_panel.run_button.setFocus()
    for number in (2, 5, 1, 4, 3):
        QTest.keyClick(QApplication.focusWidget(), getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.AltModifier)
        assert dock.tabs.currentIndex() == number - 1
        assert isinstance(QApplication.focusWidget(), QTabBar)


def test_the_space_bar_presses_the_button_that_has_the_focus_and_plays_else(dock):
    page_of(dock, 1)
    played = []
    dock.playing.toggle, before = lambda: played.append(1), dock.playing.toggle
    box = dock.view.pan_box
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert box.isChecked()
    dock.view.pick_button.setFocus()
    QTest.keyClick(dock.view.pick_button, Qt.Key.Key_Space)
    assert dock.view.pick_button.isChecked()
    assert not played
    dock.playing.toggle = before


def test_delete_takes_the_chosen_row_away_and_nothing_where_none_is_chosen(dock, monkeypatch):
    panel, asked = dock.correct_panel, []
    monkeypatch.setattr(panel.corrections, "pin", lambda action, *_, number=None: asked.append((action, number)))
    monkeypatch.setattr(panel.corrections, "review", lambda action, *_, number=None: asked.append((action, number)))
    page_of(dock, 2)
    for table in (panel.pins_table, panel.review_table):
        table.setFocus()
        table.clearSelection()
        QTest.keyClick(table, Qt.Key.Key_Delete)
    assert not asked
    panel.pins_table.setFocus()
    panel.pins_table.selectRow(1)
    QTest.keyClick(panel.pins_table, Qt.Key.Key_Delete)
    panel.review_table.setFocus()
    panel.review_table.selectRow(0)
    QTest.keyClick(panel.review_table, Qt.Key.Key_Delete)
    assert asked == [("remove", 2), ("remove", 1)]
