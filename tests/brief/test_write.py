"""Files: named after the place, whole or not at all, the same for the same figures; bad input in one line."""

import io

import pytest
from brief_pages import content, region

import zhol
from zhol.brief.pdf import render_pdf


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "new" / "folder"
    return zhol.write_brief(region(), "KAZ", folder)


def test_both_files_are_named_after_the_place_and_nothing_else_is_left(written):
    assert (written.html.name, written.pdf.name) == ("kazakhstan.html", "kazakhstan.pdf")
    assert sorted(p.name for p in written.html.parent.iterdir()) == ["kazakhstan.html", "kazakhstan.pdf"]


def test_the_same_figures_give_the_same_bytes(written, tmp_path):
    again = zhol.write_brief(region(), "KAZ", tmp_path)
    assert again.html.read_bytes() == written.html.read_bytes()
    assert again.pdf.read_bytes() == written.pdf.read_bytes()


def test_without_pdf_only_the_page_is_written(tmp_path):
    files = zhol.write_brief(region(), "XEU", tmp_path, pdf=False)
    assert files.pdf is None
    assert [p.name for p in tmp_path.iterdir()] == ["eu-efta-and-united-kingdom.html"]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("QQQ", "unknown place; found 'QQQ', expected one of KAZ, KGZ"),
        ("kaz", "unknown place; found 'kaz', expected one of KAZ, KGZ"),
        ("", "unknown place; found '', expected one of KAZ, KGZ"),
        ("XCA", "no brief for a group or the rest of the world; found 'XCA', expected one of KAZ, KGZ"),
        ("XRW", "no brief for a group or the rest of the world; found 'XRW', expected one of KAZ, KGZ"),
    ],
)
def test_a_place_without_a_brief_is_one_line_and_writes_nothing(place, line, tmp_path):
    with pytest.raises(zhol.ZholError) as error:
        zhol.write_brief(region(), place, tmp_path / "out")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(zhol.ZholError) as error:
        zhol.write_brief(region(), "KAZ", tmp_path / "out", pdf=False)
    assert str(error.value) == "kazakhstan.html: file cannot be written; found 'File exists'; check the folder"
    assert (tmp_path / "out").read_text() == "mine"


def test_a_pack_with_two_places_and_one_stock_still_gets_a_brief_that_says_what_is_missing(tmp_path):
    from zhol.region.template import new

    small = zhol.load(new("small", tmp_path))
    code = next(r["place"] for r in small.places.to_dicts() if r["kind"] == "country")
    files = zhol.write_brief(small, code, tmp_path / "out")
    page = files.html.read_text("utf-8")
    for missing in ("No asylum figures", "No remittances", "No population outlook", "No bodies or treaties"):
        assert missing in page
    assert files.pdf.read_bytes().startswith(b"%PDF")


def test_words_of_a_pack_stay_words_in_the_page_and_a_place_without_coordinates_gets_no_map(tmp_path):
    import csv

    from zhol.region.template import new

    pack = new("odd", tmp_path)
    rows = list(csv.DictReader((pack / "places.csv").open(encoding="utf-8")))
    for row in rows:
        row["name"] = f'<script>alert("{row["place"].lower()}")</script> & Co'
        row["lat"] = row["lon"] = ""
    with (pack / "places.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    region = zhol.load(pack)
    files = zhol.write_brief(region, "KAZ", tmp_path / "out")
    page = files.html.read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "No corridor of this place is large enough to draw" in page
    assert files.pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("place", ["KAZ", "RUS", "ARE"])
def test_the_pdf_is_a4_tagged_has_all_its_letters_and_a_readable_length(place):
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(render_pdf(content(place))))
    name = content(place)["name"]
    assert 6 <= len(reader.pages) <= 24
    assert reader.metadata.title == f"Migration brief: {name}"
    assert reader.trailer["/Root"]["/Lang"].lower().startswith("en")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    words = ""
    for page in reader.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        fonts = page["/Resources"].get("/Font", {})
        assert {"DejaVuSans" in str(font.get_object()["/BaseFont"]) for font in fonts.values()} <= {True}
        text = page.extract_text()
        assert len(text) > 150  # no empty page
        words += text
    assert "\ufffd" not in words
    flat = " ".join(words.split())
    assert "Detections measure policing as well as migration." in flat
    assert "Numbered sources" in flat


def test_kazakh_and_russian_letters_are_set():
    import pypdf

    letters = "Қазақстан әғқңөұүһі ЁЖЩЪЫЭ"
    brief = {**content("ARE"), "subtitle": letters}
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(brief)))
    assert letters in reader.pages[0].extract_text()


def test_a_letter_that_the_font_lacks_is_refused_and_not_left_out():
    brief = {**content("ARE"), "subtitle": "\u6f22"}
    with pytest.raises(zhol.ZholError, match="cannot be set as PDF"):
        render_pdf(brief)
