"""The report as files: five languages, every character with a glyph, and no text that turns into markup."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pypdf.generic import ContentStream
from pypdfium2 import PdfDocument
from typer.testing import CliRunner

from radar.api import create_app, examples, report_shapes
from radar.cli import cli
from radar.config import Settings
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.reports import kept_reports, make_reports, pair_report
from radar.reports.keeping import keep
from radar.scheduling import load_jobs
from radar.store.counts import add_keys
from radar.store.engine import reading, writing
from radar.web.document import Document, Heading, Paragraph, Table, cell
from radar.web.document_markdown import to_markdown
from radar.web.document_pdf import Fonts, MissingFont, to_pdf
from radar.web.languages import LANGUAGES
from radar.web.report_files import to_html, write_file, writer
from radar.web.report_methods import _GAPS
from tests.api.small_store import NOW, SmallStore, fill, open_small

LATER = NOW + timedelta(days=1)
BAD = '#strong[x] $1$ `a` *b* | <script>alert(1)</script> [c](javascript:d) ![e](//f) \\ @g "h" #image("/etc/passwd")'
TITLES = {
    "en": ("Taiwan about Japan, week 47 of 2026", "Methods and coverage", "Osaka"),
    "zh-Hant": ("台灣談日本", "台灣談日本", "方法與資料涵蓋", "大阪"),
    "ja": ("台湾から見た日本", "台湾から見た日本", "方法とデータの範囲", "大阪"),
    "ko": ("대만에서 본 일본", "대만에서 본 일본", "방법과 수집 현황", "오사카"),
    "th": ("ไต้หวันพูดถึงญี่ปุ่น", "แพลตฟอร์ม", "โพสต์", "โอซา", "大阪"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    filled = fill(open_small(tmp_path_factory.mktemp("files")), world="simulated")
    number = key_number(Kind.HASHTAG, BAD)
    with writing(filled.engine) as session, session.begin():
        add_keys(session, [{"hash": number, "kind": int(Kind.HASHTAG), "text": BAD, "gloss": "<img src=x> 한국 ไทย"}])
    filled.trend("bad", Kind.HASHTAG, BAD, score=40.0, at=NOW - timedelta(hours=20))
    yield filled
    filled.engine.dispose()


@pytest.fixture(scope="module")
def report(store: SmallStore) -> dict[str, Any]:
    with reading(store.engine) as session:
        return pair_report(session, "TW", "JP", "2026-W47", now=LATER)


def _read(content: bytes) -> tuple[str, list[Any]]:
    """The text of a PDF (read by PDFium, which knows of clusters), and the fonts in it."""
    reader = PdfReader(io.BytesIO(content))
    with PdfDocument(content) as document:
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
    fonts = [one.get_object() for page in reader.pages for one in page["/Resources"]["/Font"].values()]
    return text, fonts


def _squeezed(text: str) -> str:
    return re.sub(r"\s|\u200b", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pdf_of_each_language_has_its_words_and_no_box(report: dict[str, Any], language: str) -> None:
    content = write_file(report, language, "pdf", "http://127.0.0.1")
    text, fonts = _read(content)
    assert PdfReader(io.BytesIO(content)).metadata["/Title"].startswith(TITLES[language][0])
    for word in TITLES[language][1:]:
        assert _squeezed(word) in _squeezed(text), word
    assert "\ufffd" not in text
    assert "#strong[x]" in text
    for font in fonts:
        inside = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        descriptor = inside["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor, "every font is embedded"
    assert _boxes(content) == 0
    assert content == write_file(report, language, "pdf", "http://127.0.0.1"), "again gives the same"


def _boxes(content: bytes) -> int:
    """How often the glyph 0, the box, is drawn: texts are glyph numbers of two bytes. Charts are forms inside."""
    reader = PdfReader(io.BytesIO(content))
    return sum(_boxes_in(page.get_contents(), page.get("/Resources"), reader) for page in reader.pages)


def _boxes_in(stream: Any, resources: Any, reader: PdfReader) -> int:
    found = ContentStream(stream, reader)
    texts = [one for operands, operator in found.operations if operator in (b"Tj", b"TJ") for one in operands]
    runs = [
        run for text in texts for run in (text if isinstance(text, list) else [text]) if hasattr(run, "original_bytes")
    ]
    drawn = sum(run.original_bytes[i : i + 2] == b"\0\0" for run in runs for i in range(0, len(run.original_bytes), 2))
    forms = (resources.get_object() if resources else {}).get("/XObject", {})
    inner = [one.get_object() for one in forms.get_object().values()] if forms else []
    inside = [one for one in inner if one.get("/Subtype") == "/Form"]
    return drawn + sum(_boxes_in(one, one.get("/Resources"), reader) for one in inside)


def test_a_box_would_be_seen() -> None:
    import typst

    assert _boxes(typst.compile("a \U0010fffd 大".encode(), ignore_system_fonts=True)) == 2


def test_nothing_is_left_out_for_want_of_a_font() -> None:
    with pytest.raises(MissingFont, match="No font here can write") as caught:
        to_pdf(Document("สวัสดี", "th", [Heading("ไทย")]), "", Fonts(with_system=False))
    assert "fonts-noto-core" in caught.value.hint
    assert caught.value.exit_code == 2
    with pytest.raises(MissingFont) as caught:
        to_pdf(Document("日本語と漢字", "ja"), "", Fonts(with_system=False))
    assert "fonts-noto-cjk" in caught.value.hint
    text, _ = _read(to_pdf(Document("rare \U0001f9ff\U000e0041", "en"), ""))
    assert "[U+" in text or "\U0001f9ff" in text


def test_a_font_holds_what_it_is_chosen_for() -> None:
    fonts = Fonts()
    assert fonts.stack("ja")[2:3] == ["Noto Sans CJK JP"] or "Noto Sans CJK JP" in fonts.stack("ja")[:4]
    assert fonts.stack("ko").index("Noto Sans CJK KR") < fonts.stack("ko").index("Noto Sans CJK TC")
    path, index = fonts._files["Noto Sans CJK TC"]
    with TTFont(path, fontNumber=index, lazy=True) as font:
        assert ord("灣") in font.getBestCmap()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "style")]


def test_html_stands_alone_and_shows_hostile_names(report: dict[str, Any]) -> None:
    said = write_file(report, "ja", "html", "http://127.0.0.1").decode()
    found = _Tags()
    found.feed(said)
    assert {"script", "img", "link", "iframe"}.isdisjoint(found.tags)
    assert all(link.startswith(("http://127.0.0.1/", "#", "url(#")) for link in found.links)
    assert "&lt;script&gt;alert(1)" in said
    assert '<html lang="ja">' in said


def test_markdown_shows_hostile_names_as_they_stand(report: dict[str, Any]) -> None:
    said = write_file(report, "en", "md", "http://127.0.0.1").decode()
    assert "<script" not in said.replace("\\<script", "")
    assert "](javascript" not in said.replace("\\](javascript", "")
    assert re.search(r"\\#strong\\\[x\\\] \\\$1\\\$ \\`a\\` \\\*b\\\* \\\| \\<script", said)
    for line in said.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (6, 8, 5), line


def test_lines_and_directions_cannot_be_broken() -> None:
    table = Table("c", ["a"], [[cell("x\n| y\u202e z\r\n# w")]])
    said = to_markdown(Document("t", "en", [table, Paragraph("1. one"), Paragraph("- two")]), "")
    assert "| x \\| y z \\# w |" in said
    assert "1\\. one" in said
    assert "\\- two" in said
    assert "<b>" not in to_html(Document("<b>", "en", [Heading("<b>")]), "")


def test_reports_are_kept_whole_and_once(store: SmallStore, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, reports="TW>JP, TH>JP", report_languages="en th")
    made, there, failed = make_reports(store.engine, settings, writer(settings), now=LATER)
    assert (made, there) == (1, 0)
    assert failed[0].startswith("TH>JP: ")
    (kept,) = kept_reports(tmp_path)
    assert kept[:3] == ("TW", "JP", "2026-W47")
    assert kept.files == sorted(f"{code}.{form}" for code in ("en", "th") for form in ("md", "html", "pdf", "json"))
    before = {f: (tmp_path / "reports/TW-JP/2026-W47" / f).stat().st_mtime_ns for f in kept.files}
    assert make_reports(store.engine, settings, writer(settings), now=LATER)[:2] == (0, 1)
    assert before == {f: (tmp_path / "reports/TW-JP/2026-W47" / f).stat().st_mtime_ns for f in kept.files}
    client = TestClient(create_app(store.engine, settings), headers={"accept": "text/html"})
    page = client.get("/reports").text
    assert "/reports/files/TW/JP/2026-W47/th.pdf" in page
    assert client.get("/reports/files/TW/JP/2026-W47/th.pdf").content.startswith(b"%PDF")
    for path in ("TW/JP/2026-W47/..%2F..%2Fradar.db", "TW/JP/2026-W47/en.exe", "TW/JP/..%2F2026-W47/en.md"):
        assert client.get(f"/reports/files/{path}").status_code == 404
    assert client.get("/v1/reports").json()["scheduled"] == [
        {"market": "TW", "place": "JP"}, {"market": "TH", "place": "JP"},
    ]  # fmt: skip


def test_a_week_that_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        keep(tmp_path, "TW", "JP", "2026-W47", {"en.md": b"x", "en.pdf": None})  # type: ignore[dict-item]
    assert kept_reports(tmp_path) == []
    assert list((tmp_path / "reports" / "TW-JP").iterdir()) == []
    assert "make_reports" in load_jobs()


def test_the_api_gives_what_is_accepted(store: SmallStore) -> None:
    client = TestClient(create_app(store.engine, Settings()))
    path = "/v1/reports/TW/JP/2026-W47"
    assert client.get(path).json()["week"] == "2026-W47"
    said = {"text/markdown": "# ", "text/html": "\n<!doctype", "application/pdf": "%PDF"}
    for media, begins in said.items():
        answer = client.get(path, headers={"accept": f"{media}, */*;q=0.1", "accept-language": "ko"})
        assert answer.headers["content-type"].startswith(media)
        assert answer.content.decode("latin-1").lstrip().startswith(begins.strip())
    page = client.get(f"{path}?format=html&language=th")
    assert "ไต้หวันพูดถึงญี่ปุ่น" in page.text
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    for query in ("format=doc", "language=fr", "x=1"):
        assert client.get(f"{path}?{query}").status_code == 400
    assert client.get("/v1/reports/TW/Osaka/2026-W47").status_code == 400
    assert client.get("/v1/reports/XX/JP/2026-W47").status_code == 404


def test_the_command_writes_files_and_text(store: SmallStore, tmp_path: Path) -> None:
    folder = str(Path(str(store.engine.url.database)).parent)
    asked = [
        "--data-dir",
        folder,
        "report",
        "--market",
        "TW",
        "--place",
        "JP",
        "--week",
        "2026-W47",
        "--language",
        "th",
    ]
    file = tmp_path / "report.pdf"
    done = CliRunner().invoke(cli, [*asked, "--output", str(file)])
    assert done.exit_code == 0, done.output
    assert "แพลตฟอร์ม" in _squeezed(_read(file.read_bytes())[0])
    assert [one.name for one in tmp_path.iterdir()] == ["report.pdf"]
    assert CliRunner().invoke(cli, asked).stdout.startswith("# ไต้หวันพูดถึงญี่ปุ่น")
    gone = CliRunner().invoke(cli, [*asked, "--output", str(tmp_path / "none" / "x.md")])
    assert isinstance(gone.exception, CallerError)


@pytest.mark.parametrize("language", LANGUAGES)
def test_forecast_lead_and_shadow_are_told(language: str) -> None:
    example = report_shapes.ANSWERS["Report"] | {
        "expected": {
            "status": "ok", "message": "", "as_of": "2026-11-22T14:00:00Z", "items": [examples.ARRIVAL], "total": 1,
            "from_elsewhere": 2, "model": None, "since": None, "kept_days": 90,
        },
        "shadow": examples.TRENDS["shadow"], "missing": [{"what": w, "n": 3, "names": ["sky"]} for w in _GAPS],
        "product_trends": [examples.TREND],
    }  # fmt: skip
    told = report_shapes.Report.model_validate(example).model_dump()
    said = write_file(told, language, "md", "")
    for word in ("41 %", "83 %", "yuzulatte", "Ann Lee"):
        assert word in said.decode(), word
    assert b"%(" not in said


def test_a_mistake_at_the_terminal_is_explained(tmp_path: Path) -> None:
    for week, said in (("2026-W99", "no ISO week"), ("2031-W01", "is not over")):
        asked = ["report", "--market", "TW", "--place", "JP", "--week", week]
        result = CliRunner().invoke(cli, ["--data-dir", str(tmp_path), *asked])
        assert isinstance(result.exception, CallerError)
        assert said in result.exception.message
        assert result.exception.hint
