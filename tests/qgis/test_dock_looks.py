"""How the workbench looks: in a narrow dock in either language, on dark themes and on screens with fine pixels, judged by what is painted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QPoint, QRect, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPalette
from qgis.PyQt.QtWidgets import QAbstractButton, QApplication, QCheckBox, QGroupBox, QLabel, QLineEdit, QScrollArea, QStyleFactory, QWidget

from tests.qgis.common import ROOT, desktop_with_plugin
from vidtag_qgis import translation

pytestmark = pytest.mark.qgis
PAGES = ("Locate", "Check frames", "Correct", "Landmarks", "Show")
WORDED, TYPED, FRAMELESS = (QLabel, QAbstractButton, QGroupBox), (QLabel, QAbstractButton, QLineEdit), (QLabel, QCheckBox)
NARROW_PX = 320
LEAST_CONTRAST = 3.0
"""Of WCAG 2.1, for large text and for the parts of controls; disabled ones need none."""


def fusion_dark(application: QApplication) -> None:
    """Qt's own style with the colours that people set for it."""
    palette, role = QPalette(), QPalette.ColorRole
    for one, colour in (
        (role.Window, "#2b2b2b"), (role.WindowText, "#e0e0e0"), (role.Base, "#1e1e1e"), (role.AlternateBase, "#2b2b2b"), (role.Text, "#e0e0e0"),
        (role.Button, "#353535"), (role.ButtonText, "#e0e0e0"), (role.Highlight, "#2a82da"), (role.HighlightedText, "#000000"),
        (role.PlaceholderText, "#909090"),
    ):  # fmt: skip
        palette.setColor(one, QColor(colour))
    application.setPalette(palette)


def theme(name: str):
    def use(_: QApplication) -> None:
        if name not in QgsApplication.uiThemes():
            pytest.skip(f"This QGIS brings no theme {name}.")
        QgsApplication.setUITheme(name)

    return use


THEMES = {
    "fusion dark": fusion_dark,
    "Night Mapping": theme("Night Mapping"),
    "Blend of Gray": theme("Blend of Gray"),
    "light": lambda _: None,
}


@pytest.fixture
def opened(qgis_processing, engine_here):
    """Opens the workbench in a theme and a language; afterwards all is as it was."""
    application = QApplication.instance()
    before = application.font(), application.style().objectName(), application.palette()
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setFont(QFont("DejaVu Sans", 9))
    held = []

    def open_in(language: str = "en", look: str = "light", width_px: int = NARROW_PX):
        THEMES[look](application)
        translator = translation.install(language)
        desktop = desktop_with_plugin()
        held.extend([desktop, translator])
        desktop.window.resize(1300, 1600)
        desktop.plugin._actions.workbench.trigger()
        dock = desktop.plugin._actions.dock
        desktop.window.resizeDocks([dock], [width_px], Qt.Orientation.Horizontal)
        QgsApplication.processEvents()
        return dock

    yield open_in
    for one in held:
        if hasattr(one, "plugin"):
            one.plugin.unload()
        else:
            translation.remove(one)
    QgsApplication.setUITheme("default")
    application.setStyleSheet("")
    application.setStyle(QStyleFactory.create(before[1] or "Fusion"))
    application.setPalette(application.style().standardPalette())
    application.setFont(before[0])
    QgsProject.instance().clear()


def page_of(dock, number: int) -> QWidget:
    dock.tabs.setCurrentIndex(number)
    dock.view.bar.setVisible(True)  # as with a video
    dock.view.bar.play_button.setEnabled(True)
    # Whatever a page may show at some time, all at once.
    dock.view.show_match(picture_bytes(), "Similarity 0.81, 0.12 more than elsewhere")
    dock.view.bar.show_visits([(3.0, 12.0)])
    dock.view.tell("The video drive.mp4 was not found: say where it is.", locatable=True)
    dock.show_panel.place_labels["DMS"].setText("69°13′58.76″S 159°55′34.71″W")
    dock.show_panel.place_labels["Decimal"].setText("-69.219100, -159.926310")
    for _ in range(3):
        QgsApplication.processEvents()
    shown = dock.tabs.currentWidget()
    return shown.widget() if isinstance(shown, QScrollArea) else shown


def picture_bytes() -> bytes:
    from qgis.PyQt.QtCore import QBuffer, QByteArray

    image, data = QImage(256, 144, QImage.Format.Format_RGB32), QByteArray()
    image.fill(QColor("#557799"))
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("number", range(len(PAGES)), ids=PAGES)
def test_nothing_is_cut_off_in_a_narrow_dock(opened, language, number):
    dock = opened(language)
    page = page_of(dock, number)
    assert dock.width() == NARROW_PX
    area = dock.tabs.currentWidget()
    if isinstance(area, QScrollArea):
        assert area.horizontalScrollBar().maximum() == 0
    looked_at = 0
    for one in page.findChildren(QWidget):
        if not one.isVisible() or not isinstance(one, WORDED) or one.parentWidget().inherits("QgsFileWidget"):
            continue
        text = one.title() if isinstance(one, QGroupBox) else one.text()
        if not text:
            continue
        looked_at += 1
        left = one.mapTo(page, one.rect().topLeft()).x()
        assert left >= 0
        assert left + one.width() <= page.width(), text
        if isinstance(one, QGroupBox):
            assert one.fontMetrics().horizontalAdvance(text) < one.width(), text
        elif isinstance(one, QLabel) and one.wordWrap():
            assert one.heightForWidth(one.width()) <= one.height() + 1, text
        else:
            assert one.width() >= one.minimumSizeHint().width(), text
            assert one.height() >= one.minimumSizeHint().height(), text
    assert looked_at >= 5


def contrast(image: QImage) -> float:
    """WCAG's ratio between the lightest and the darkest that is painted."""
    picture = image.convertToFormat(QImage.Format.Format_RGB32)
    data = np.frombuffer(picture.constBits().asstring(picture.sizeInBytes()), dtype=np.uint8)
    channels = data.reshape(picture.height(), picture.width(), 4)[..., 2::-1] / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    light = linear @ np.array([0.2126, 0.7152, 0.0722])
    return float((light.max() + 0.05) / (light.min() + 0.05))


def test_the_judge_of_contrast():
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    assert contrast(image) == pytest.approx(1.0)
    image.setPixelColor(3, 3, QColor("#000000"))
    assert contrast(image) == pytest.approx(21.0)
    image.setPixelColor(3, 3, QColor("#767676"))
    assert contrast(image) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("look", list(THEMES))
def test_words_and_signs_are_read_on_every_theme(opened, look):
    dock = opened("en", look, 470)
    pale = []
    for number in range(len(PAGES)):
        page = page_of(dock, number)
        dock.correct_panel.comment_field.setText("typed words")
        dock.run_panel._busy(True)
        dock.run_panel._progressed(0.37, 65.0)
        QgsApplication.processEvents()
        whole = dock.grab().toImage()  # a label alone would lie on nothing
        for one in page.findChildren(QWidget):
            text = one.text() if isinstance(one, TYPED) else ""
            sign = one is dock.view.bar.play_button
            if not one.isVisible() or not one.isEnabled() or not (text or sign):
                continue
            inner = 0 if isinstance(one, FRAMELESS) else 6 if sign else 4  # a frame is no letter
            place = QRect(one.mapTo(dock, QPoint(inner, inner)), one.size() - QSize(2 * inner, 2 * inner))
            assert dock.rect().contains(place), text
            if contrast(whole.copy(place)) < LEAST_CONTRAST:
                pale.append((PAGES[number], text or "play", round(contrast(whole.copy(place)), 2)))
    assert not pale
    dock.run_panel._busy(False)


def test_the_play_sign_follows_the_theme(opened):
    dock = opened()
    button = dock.view.bar.play_button
    dock.tabs.setCurrentIndex(1)
    dock.view.bar.setVisible(True)
    button.setEnabled(True)
    before = button.grab().toImage()
    fusion_dark(QApplication.instance())
    QgsApplication.processEvents()
    after = button.grab().toImage()
    assert after != before
    assert contrast(after.copy(6, 6, after.width() - 12, after.height() - 12)) > 5


FINE = """
import sys
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtGui import QImage, QColor
if hasattr(Qt, "AA_UseHighDpiPixmaps"):  # Qt 6 always does
    QCoreApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)  # as QGIS does
application = QgsApplication([], True)
application.initQgis()
from vidtag_qgis.gui.frame_view import PictureLabel
from vidtag_qgis.gui.landmark_panel import LandmarkPicture
from vidtag_qgis.gui.player_bar import PlayerBar
image = QImage(480, 270, QImage.Format.Format_RGB32)
for y in range(270):
    for x in range(480):
        image.setPixelColor(x, y, QColor(255, 255, 255) if (x + y) % 2 else QColor(0, 0, 0))
for widget in (PictureLabel(), LandmarkPicture()):
    widget.resize(240, 135)
    widget.show()
    widget.image = image
    shown = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert shown.devicePixelRatio() == 2.0
    shown.setDevicePixelRatio(1.0)
    assert (shown.width(), shown.height()) == (480, 270)
    wrong = sum(shown.pixel(x, y) != image.pixel(x, y) for y in range(0, 270, 7) for x in range(0, 480, 3))
    assert wrong == 0, (type(widget).__name__, wrong)
bar = PlayerBar()
bar.show()
assert bar.play_button.icon().pixmap(bar.window().windowHandle(), bar.play_button.iconSize()).width() == 32
print("sharp", flush=True)
import os
os._exit(0)
"""


def test_pictures_are_painted_pixel_by_pixel_where_a_screen_has_two_for_one():
    """A checkerboard of single pixels turns grey where it is scaled to points first, and up again."""
    variables = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", FINE], env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert "sharp" in done.stdout, done.stderr[-2000:]
