"""A video of a result as a PDF to hand over, with what its page says: A4, with words that can be copied, drawings as lines and frames as their JPEGs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.drawing_primitives import color_from_hex_string
from fpdf.enums import Align, DocumentCompliance, MethodReturnValue, PathPaintRule, XPos, YPos
from PIL import Image

from ..atomic import replacing
from ..file_marks import mark_of
from .case_content import BOX, Case, CaseContent, Drawing, Fact, Figure, Reference
from .columns import clean
from .pdf_fonts import BODY, Fonts, fonts_for

_MARGIN_MM, _BOTTOM_MM = 16.0, 18.0
_WIDTH_MM = 210.0 - 2 * _MARGIN_MM
_PICTURE_MM, _DRAWING_MM, _GAP_MM = 62.0, 42.0, 4.0
_NAME_MM, _FIGURE_NAME_MM = 38.0, 21.0
_BODY_PT, _SMALL_PT = 10.0, 8.0
_LINE = 0.45  # height of a line in mm for a point of its size
_INK, _SOFT, _RAISED = (34, 34, 34), (85, 85, 85), (245, 245, 242)


def write_case_pdf(path: Path, content: CaseContent, created_utc: datetime, case: Case, *, overwrite: bool = False) -> None:
    """Write the PDF, whole or not at all. The same content gives the same bytes.

    Args:
        path: a .pdf.
        content: that it shows.
        created_utc: when the result was made; the PDF's date.
        case: its number stands at the foot of every page, and whoever hands it over is the author.
        overwrite: replace what is there also where it is no such PDF of this tool.

    Raises:
        InputError: it cannot be written.
    """
    fonts = fonts_for(_words(content, clean(case.number)))
    document = _Document(content, fonts, clean(case.number))
    document.set_creation_date(created_utc.astimezone(UTC))
    # The library's own metadata would say when this file was written, and the same result would make other bytes each time.
    document.set_xmp_metadata(_metadata(content.title, clean(case.analyst), created_utc.astimezone(UTC)))
    document.told()
    with replacing(path, "pdf", overwrite=overwrite) as part:
        document.output(str(part))


def _words(content: CaseContent, case_number: str) -> str:
    """All that is written, to know which letters are wanted."""
    facts = [*content.case, *content.method, *(fact for figure in content.figures for fact in figure.facts)]
    said = [reference.text for figure in content.figures for reference in figure.references]
    return "".join(
        [content.title, content.name, case_number, *content.answer, *content.caveats, *(fact.name + fact.value for fact in facts), *said]
    )


def _metadata(title: str, author: str, created_utc: datetime) -> str:
    """Title, author and date, as PDF/A-2u asks for them: XMP, without its wrapper."""
    when, mark = f"{created_utc:%Y-%m-%dT%H:%M:%SZ}", escape(mark_of("pdf"))
    creator = f"<dc:creator><rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq></dc:creator>" if author else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>{creator}'
        f"<xmp:CreatorTool>{mark}</xmp:CreatorTool><pdf:Producer>{mark}</pdf:Producer>"
        f"<xmp:CreateDate>{when}</xmp:CreateDate><xmp:ModifyDate>{when}</xmp:ModifyDate></rdf:Description></rdf:RDF></x:xmpmeta>"
    )


class _Document(FPDF):
    """The pages. Lengths are in mm from the upper left corner, but for sizes of letters, in points."""

    def __init__(self, content: CaseContent, fonts: Fonts, case_number: str) -> None:
        super().__init__(format="A4", enforce_compliance=DocumentCompliance.PDFA_2U)
        self._content, self._fonts = content, fonts
        self._foot = fonts.written(" · ".join(filter(None, [case_number, content.name])))
        for family, style, file, number in fonts.files:
            self.add_font(family, style, file, collection_font_number=number)
        self.set_fallback_fonts(list(fonts.others), exact_match=False)
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(True, _BOTTOM_MM)
        self.set_lang("en")
        self.set_text_shaping(fonts.shaped)
        self.set_text_color(*_INK)

    def footer(self) -> None:
        """FPDF's name: case, video and page at the foot of each."""
        self.set_y(-_BOTTOM_MM + 6)
        self.set_font(BODY, size=_SMALL_PT)
        self.set_text_color(*_SOFT)
        foot = self._foot
        while self.get_string_width(foot) > _WIDTH_MM - 20:
            foot = foot[:-2] + "…"
        self.cell(_WIDTH_MM - 18, 5, foot)
        self.cell(18, 5, f"{self.page_no()}", align=Align.R)
        self.set_text_color(*_INK)

    def told(self) -> None:
        """Everything, in the page's order."""
        content = self._content
        self.add_page()
        self._text(content.title, 18, bold=True)
        self.ln(2)
        for sentence in content.answer:
            self._text(sentence, _BODY_PT)
            self.ln(1)
        self._heading("The case")
        self._facts(content.case)
        self._heading("The way", room_mm=80)
        self._map(content.map_png)
        self._heading("Frame by frame", room_mm=80)
        self._text(content.about_frames, _SMALL_PT, colour=_SOFT)
        self.ln(2)
        for figure in content.figures:
            self._figure(figure)
        self._heading("How it was found", room_mm=40)
        self._facts(content.method)
        self._heading("What to bear in mind", room_mm=30)
        for sentence in (*content.caveats, *([self._fonts.note] if self._fonts.note else [])):
            self._text(f"• {sentence}", _BODY_PT)
            self.ln(1)

    # Words.

    def _text(
        self, text: str, size_pt: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK, link: str = "", width_mm: float = 0
    ) -> None:
        """A paragraph from the present place on, down to its end."""
        self.set_font(BODY, "B" if bold else "", size_pt)
        self.set_text_color(*colour)
        left = self.x
        self.multi_cell(
            width_mm or _WIDTH_MM,
            size_pt * _LINE,
            self._fonts.written(text),
            align=Align.L,
            link=link or None,
            new_x=XPos.LEFT,
            new_y=YPos.NEXT,
        )
        self.set_x(left)
        self.set_text_color(*_INK)

    def _height_mm(self, text: str, size_pt: float, width_mm: float) -> float:
        self.set_font(BODY, size=size_pt)
        height: Any = self.multi_cell(
            width_mm, size_pt * _LINE, self._fonts.written(text), align=Align.L, dry_run=True, output=MethodReturnValue.HEIGHT
        )
        return float(height)

    def _heading(self, text: str, room_mm: float = 20.0) -> None:
        """A heading, on a new page where this one has no room for what it is of."""
        self.ln(4)
        self._room(room_mm)
        self.start_section(text)
        self._text(text, 13, bold=True)
        self.ln(1.5)

    def _room(self, height_mm: float) -> None:
        if self.y + height_mm > self.h - _BOTTOM_MM and self.y > _MARGIN_MM + 1:
            self.add_page()

    def _facts(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            height = max(
                self._height_mm(fact.value, _BODY_PT - 1, _WIDTH_MM - _NAME_MM), self._height_mm(fact.name, _BODY_PT - 1, _NAME_MM)
            )
            self._room(min(height, 40.0) + 2)
            top = self.y
            self._text(fact.name, _BODY_PT - 1, colour=_SOFT, width_mm=_NAME_MM)
            self.set_xy(_MARGIN_MM + _NAME_MM, top)
            self._text(fact.value, _BODY_PT - 1, link=fact.link, width_mm=_WIDTH_MM - _NAME_MM)
            self.set_xy(_MARGIN_MM, max(self.y, top + height) + 0.8)

    # Pictures.

    def _map(self, picture: bytes | None) -> None:
        if picture is None:
            self._text("There is nothing to draw: the video has no place.", _BODY_PT)
            return
        width, height = _fitted(picture, _WIDTH_MM, 120.0)
        self._room(height)
        self.image(io.BytesIO(picture), self.x, self.y, width, height, alt_text="Map of the way, coloured by confidence")
        self.set_y(self.y + height + 2)

    def _figure(self, figure: Figure) -> None:
        """A frame, its drawing and what is said of it beside each other, on one page wherever that has room for it; reference images below."""
        wide = _WIDTH_MM - _PICTURE_MM - _DRAWING_MM - 2 * _GAP_MM - 2
        picture = (0.0, 4.0) if figure.picture is None else _fitted(figure.picture, _PICTURE_MM, 58.0)
        drawing = 0.0 if figure.drawing is None else _DRAWING_MM + 5
        facts = sum(self._fact_mm(fact, wide) for fact in figure.facts)
        references = sum(self._reference_mm(one) for one in figure.references)
        upper = max(picture[1], drawing)
        beside = facts <= max(upper * 1.6, 70.0)  # more than that is told below, where it may go on over pages
        whole = (max(upper, facts) if beside else upper) + references + 6
        self._room(min(whole, self.h - _BOTTOM_MM - _MARGIN_MM))
        top, left = self.y, _MARGIN_MM
        self.set_draw_color(*_RAISED)
        self.line(left, top - 1, left + _WIDTH_MM, top - 1)
        if figure.picture is None:
            self.set_xy(left, top)
            self._text("No picture.", _SMALL_PT, colour=_SOFT, width_mm=_PICTURE_MM)
        else:
            self.image(io.BytesIO(figure.picture), left, top, *picture, alt_text="The frame")
        if figure.drawing is not None:
            self._drawing(figure.drawing, left + _PICTURE_MM + _GAP_MM, top)
        if beside:
            self.set_xy(left + _PICTURE_MM + _DRAWING_MM + 2 * _GAP_MM, top)
            self._small_facts(figure.facts, wide)
            self.set_xy(left, max(self.y, top + upper) + 1.5)
        else:
            self.set_xy(left, top + upper + 1.5)
            self._small_facts(figure.facts, _WIDTH_MM)
            self.set_x(left)
        for reference in figure.references:
            self._reference(reference)
        self.ln(3.5)

    def _fact_mm(self, fact: Fact, width_mm: float) -> float:
        name_mm = min(_FIGURE_NAME_MM, width_mm)
        return max(self._height_mm(fact.value, _SMALL_PT, width_mm - name_mm), self._height_mm(fact.name, _SMALL_PT, name_mm)) + 0.6

    def _small_facts(self, facts: Sequence[Fact], width_mm: float) -> None:
        left = self.x
        for fact in facts:
            height = self._fact_mm(fact, width_mm)
            self._room(min(height, 40.0))
            top = self.y
            self.set_x(left)
            self._text(fact.name, _SMALL_PT, colour=_SOFT, width_mm=_FIGURE_NAME_MM)
            self.set_xy(left + _FIGURE_NAME_MM, top)
            self._text(fact.value, _SMALL_PT, link=fact.link, width_mm=width_mm - _FIGURE_NAME_MM)
            self.set_xy(left, max(self.y, top + height))

    def _reference_mm(self, reference: Reference) -> float:
        height = 0.0 if reference.picture is None else _fitted(reference.picture, 24.0, 18.0)[1]
        return max(height, self._height_mm(reference.text, _SMALL_PT, _WIDTH_MM - 28.0)) + 1.2

    def _reference(self, reference: Reference) -> None:
        height = self._reference_mm(reference)
        self._room(height)
        top = self.y
        if reference.picture is not None:
            self.image(
                io.BytesIO(reference.picture), _MARGIN_MM, top, *_fitted(reference.picture, 24.0, 18.0), alt_text="A reference image"
            )
        self.set_xy(_MARGIN_MM + 28.0, top)
        self._text(reference.text, _SMALL_PT, colour=_SOFT, width_mm=_WIDTH_MM - 28.0)
        self.set_xy(_MARGIN_MM, top + height)

    def _drawing(self, drawing: Drawing, left: float, top: float) -> None:
        """As the page draws it: regions, the way, the place."""
        scale = _DRAWING_MM / BOX
        self.set_fill_color(251, 251, 248)
        self.set_draw_color(204, 204, 204)
        self.rect(left, top, _DRAWING_MM, _DRAWING_MM, style="DF")
        for colour, rings in drawing.regions:
            with self.new_path(paint_rule=PathPaintRule.FILL_EVENODD) as path:
                path.style.fill_color = color_from_hex_string(colour)
                for ring in rings:
                    spots = ring * scale + (left, top)
                    path.move_to(*spots[0].tolist())
                    for spot in spots[1:-1]:
                        path.line_to(*spot.tolist())
                    path.close()
        if len(drawing.way) > 1:
            with self.new_path(paint_rule=PathPaintRule.STROKE) as path:
                path.style.stroke_color, path.style.stroke_width = color_from_hex_string("#444444"), 0.3
                path.style.auto_close = False
                spots = drawing.way * scale + (left, top)
                path.move_to(*spots[0].tolist())
                for spot in spots[1:]:
                    path.line_to(*spot.tolist())
        if drawing.place is not None:
            x, y = (value * scale for value in drawing.place)
            self.set_fill_color(208, 28, 139)
            self.set_draw_color(255, 255, 255)
            self.set_line_width(0.3)
            self.circle(left + x, top + y, 1.0, style="DF")
            self.set_line_width(0.2)
        self.set_xy(left, top + _DRAWING_MM + 0.5)
        self._text(drawing.scale, 6.5, colour=_SOFT, width_mm=_DRAWING_MM)


def _fitted(picture: bytes, width_mm: float, height_mm: float) -> tuple[float, float]:
    """Width and height of a picture that fits into these."""
    with Image.open(io.BytesIO(picture)) as image:
        wide, high = image.size
    scale = min(width_mm / wide, height_mm / high)
    return wide * scale, high * scale
