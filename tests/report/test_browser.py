"""The report in Chromium and in Firefox, opened from a file; its policy is never violated."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pipestat_report.options import Options
from pipestat_report.report import build_report

from pipestat_spec import PipestatManager
from tests import patience
from tests.report.browsers import Browser

pytestmark = pytest.mark.browser
# What the browser itself has a part in: keys, dragging, scrolling, layout, printing, the policy and
# each view. What a script decides alone is the same in both.
in_both = pytest.mark.parametrize("browser", ["chromium", "firefox"], indirect=True)

OpenBrowser = Callable[..., Browser]
COUNT = r"return (document.querySelector('#fstat b')?.textContent ?? '').replace(/\D/g, '')"

GROUND = "return getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"


def count(browser: Browser) -> int:
    return int(browser.until(COUNT))


def selected(psm: PipestatManager, where: str) -> list[str]:
    page = psm.select_records(where=where)
    return [record["record_identifier"] for record in page["records"]]


@in_both
def test_the_table_shows_the_records(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    rows = browser.texts("tbody .id")
    assert rows[:3] == ["brain_R01", "brain_R02", "brain_R03"]
    assert browser.run("return document.querySelector('table').getAttribute('aria-rowcount')") == (
        "243"
    )
    assert 10 < len(rows) < 80
    assert count(browser) == 242
    browser.run("document.querySelector('.grid').scrollTop = 1e6")
    browser.until("return [...document.querySelectorAll('.id')].at(-1)?.textContent === 'zebra_2'")
    assert browser.texts("tr.row:last-of-type .st")[-1] == "not reported"


@in_both
def test_a_filter_finds_what_select_finds(
    browser: Browser, page: Path, project: tuple[Path, PipestatManager]
) -> None:
    browser.open(page, "#records")
    for where in (
        "reads > 30000000 and genome = 'hg38'",
        "not (status = 'completed') or mapping_rate < 0.9",
        "align.strand.protocol = 'reverse' and paired = false",
        "record_identifier like '%_R0_'",
        "coverage is null",
    ):
        browser.filter(where)
        expected = selected(project[1], where)
        browser.until(f"{COUNT} === '{len(expected)}'")
        assert browser.texts("tbody .id")[:5] == expected[:5], where


def test_facets_count_what_select_finds(
    browser: Browser, page: Path, project: tuple[Path, PipestatManager]
) -> None:
    psm = project[1]
    browser.open(page, "#records")
    browser.filter("reads > 25000000")
    for name, value in (("genome", "hg19"), ("status", "failed"), ("paired", "no")):
        literal = {"no": "false"}.get(value, f"'{value}'")
        expected = len(selected(psm, f"reads > 25000000 and {name} = {literal}"))
        shown = browser.until(
            "const li = [...document.querySelectorAll(`[data-facet=${arguments[0]}] li`)]"
            ".find(e => e.querySelector('.ell').textContent === arguments[1]);"
            "return li?.querySelector('.c').textContent",
            name,
            value,
        )
        assert int(shown) == expected, (name, value)
    browser.click("[data-facet=genome] input", 1)
    browser.until("return document.querySelectorAll('.chip').length === 1")
    assert count(browser) == len(selected(psm, "reads > 25000000 and genome = 'hg19'"))
    assert "genome = 'hg19'" in browser.text(".chip")


@in_both
def test_verdicts_are_counted_chosen_sorted_and_explained(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(
        'samples: {n: {type: integer, qc: {fail: "value < 5", warn: "value < 9", reason: few}}}'
    )
    psm = PipestatManager(
        config_dict={"backend": "memory"}, schema_path=str(tmp_path / "schema.yaml")
    )
    psm.report_many({f"s{n}": {"n": n} for n in range(3, 12)})
    psm.report({"other": 1}, "none")
    report = build_report(psm.store, tmp_path)[0]
    browser.open(report, "#records?sort=verdict")
    verdicts = ["fail"] * 2 + ["warn"] * 4 + ["pass"] * 3 + ["not judged"]
    assert browser.texts("tbody td[aria-colindex='3']") == verdicts
    assert browser.texts("[data-facet=verdict] .c") == ["2", "4", "3", "1"]
    browser.click("[data-facet=verdict] input", 1)
    browser.until(f"{COUNT} === '4'")
    assert "verdict = 'warn'" in browser.text(".chip")
    assert selected(psm, "verdict = 'warn'") == ["s5", "s6", "s7", "s8"]
    browser.open(report, "#records?rec=s4")
    assert browser.texts(".reasons li") == ["fail few (n = 4)"]
    browser.open(report)
    browser.click(".leg a .st.vf")
    browser.until(f"{COUNT} === '2'")


def test_what_failed_needs_a_look(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text('samples: {n: {type: integer, qc: {fail: "value < 8"}}}')
    psm = PipestatManager(
        config_dict={"backend": "memory"}, schema_path=str(tmp_path / "schema.yaml")
    )
    psm.report_many({f"s{n}": {"n": n} for n in range(12)})
    psm.set_status("failed", "s9", message="no space")
    psm.set_status("failed", "s0", message="no reads")
    options = Options(not_reported=("t1", "t2"))
    browser.open(build_report(psm.store, tmp_path, options)[0])
    # Statuses first; of the others, which failed by their verdict, there is room for six.
    names = browser.texts(".att td:nth-child(1)")
    assert set(names[:2]) == {"s0", "s9"}
    assert len(names) == 8
    assert set(names[2:]) < {f"s{n}" for n in range(1, 8)}
    why = dict(zip(names, browser.texts(".att td:nth-child(3)"), strict=True))
    assert why["s9"] == "no space"
    assert why["s0"] == "no reads; value < 8 (n = 0)"
    links = {text: n for n, text in enumerate(browser.texts(".sect h2 a"))}
    assert links.keys() == {"All 9 in the table", "2 not reported"}
    browser.click(".sect h2 a", links["2 not reported"])
    browser.until(f"{COUNT} === '2'")
    browser.open(build_report(psm.store, tmp_path, options)[0])
    browser.click(".sect h2 a", links["All 9 in the table"])
    browser.until(f"{COUNT} === '9'")
    found = selected(psm, "status in ('failed', 'partial') or verdict = 'fail'")
    assert found == [*(f"s{n}" for n in range(8)), "s9"]


def test_a_long_facet_offers_more(browser: Browser, tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    psm.report_many({f"s{i:03}": {"kind": f"kind {i % 70}"} for i in range(210)})
    report = build_report(psm.store, tmp_path)[0]
    browser.open(report, "#records")
    assert len(browser.until("return [...document.querySelectorAll('[data-facet=kind] li')]")) == 8
    for shown in (58, 70):
        browser.click("[data-facet=kind] > button")
        browser.until(
            "return document.querySelectorAll('[data-facet=kind] li').length === arguments[0]",
            shown,
        )
    browser.until("return !document.querySelector('[data-facet=kind] > button')")


def test_the_view_that_a_report_opens_on(browser: Browser, tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    psm.report({"n": 1}, "s")
    for mode, name in ((None, "Overview"), ("table", "Records"), ("gallery", "Gallery")):
        report = build_report(psm.store, tmp_path / f"{mode}.html", Options(mode=mode))[0]
        browser.open(report)
        assert browser.text("nav [aria-current=page]").startswith(name)


@in_both
def test_a_brush_works_with_the_keyboard(
    browser: Browser, page: Path, project: tuple[Path, PipestatManager]
) -> None:
    browser.open(page, "#records")
    browser.until("return document.querySelector('[data-facet=reads] svg')")
    browser.run("document.querySelector('[data-facet=reads] svg').focus()")
    browser.keys(*["Right"] * 14)
    chip = browser.text(".chip")
    assert chip.startswith("reads >= ")
    assert count(browser) == len(selected(project[1], chip))
    browser.keys("Escape")
    browser.until("return !document.querySelector('.chip')")


def test_sorting_by_several_columns(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.click("th[data-column=status] button")
    browser.until(
        "return document.querySelector('th[data-column=status]').ariaSort === 'ascending'"
    )
    browser.run(
        "document.querySelector('th[data-column=reads] button')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, shiftKey: true}))"
    )
    browser.until(
        "return document.querySelector('th[data-column=reads]').ariaSort === 'descending'"
    )
    statuses = browser.texts("tbody .st")
    assert statuses[0] == "running"
    assert "sort=status,-reads" in browser.run("return location.hash")


def test_columns_hide_and_move(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.click(".ftools .mw button")
    browser.click(".menu .mi input", 1)
    browser.until("return !document.querySelector('th[data-column=reads]')")
    for _ in range(2):
        browser.click("[aria-label='Move mapping_rate to the left']")
    browser.until(
        "return document.querySelectorAll('thead th')[1].dataset.column === 'mapping_rate'"
    )


def shown_columns(browser: Browser) -> list[str]:
    script = "return [...document.querySelectorAll('thead th')].map(th => th.dataset.column)"
    return list(browser.run(script))


@in_both
def test_a_column_is_dragged(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.drag("th[data-column=reads]", "th[data-column=duplication_rate]")
    browser.until("return document.querySelectorAll('thead th')[4].dataset.column === 'reads'")
    assert shown_columns(browser)[:5] == [
        *("record_identifier", "status", "mapping_rate", "duplication_rate", "reads")
    ]
    # A drag is no click: nothing is sorted.
    assert "sort=" not in browser.run("return location.hash")
    browser.drag("th[data-column=status]", "th[data-column=record_identifier]")
    assert shown_columns(browser)[:2] == ["record_identifier", "status"]
    fragment = browser.run("return location.hash")
    before = shown_columns(browser)
    browser.open(page, fragment)
    assert shown_columns(browser) == before


@in_both
def test_a_column_moves_with_the_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.run("document.querySelector('th[data-column=reads] button').focus()")
    browser.chord("Alt", "Right")
    browser.until("return document.querySelectorAll('thead th')[3].dataset.column === 'reads'")
    browser.until("return document.activeElement.closest('th')?.dataset.column === 'reads'")
    for _ in range(3):  # not before the record's
        browser.chord("Alt", "Left")
    browser.until("return document.querySelectorAll('thead th')[1].dataset.column === 'reads'")
    assert "order=record_identifier,reads,status" in browser.run("return location.hash")


def test_comparing(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    for index in (0, 1):
        browser.click("tbody input[type=checkbox]", index)
    browser.click(".selbar .main:not([disabled])")
    browser.until("return document.querySelector('.cmp tbody')")
    assert browser.texts(".cmp th[scope=col] a") == ["brain_R01", "brain_R02"]
    assert "≠" in browser.text(".cmp tbody")


def test_select_all_takes_what_the_filter_lets_through(browser: Browser, page: Path) -> None:
    browser.open(page, "#records?where=genome+%3D+'hg19'")
    shown = count(browser)
    browser.click("input.all")
    assert browser.text(".selbar b") == str(shown)


@in_both
def test_a_record_with_its_history(browser: Browser, page: Path) -> None:
    browser.open(page, "#records?where=genome+%3D+'hg38'+and+reads+%3E+1")
    browser.run("document.querySelector('table').focus()")
    browser.keys("j", "Enter")
    first = browser.text(".drawer h2")
    browser.run("document.querySelector('.db').scrollTop = 200")
    browser.keys("j")
    browser.until("return document.querySelector('.drawer h2').textContent !== arguments[0]", first)
    assert browser.run("return document.querySelector('.db').scrollTop") > 100
    browser.keys("Escape")
    browser.until("return !document.querySelector('.drawer')")


def test_history_is_shown(
    browser: Browser, page: Path, project: tuple[Path, PipestatManager]
) -> None:
    key, entries = next(iter(project[1].store.histories("sample")))
    browser.open(page, f"#records?rec={key.identifier}")
    assert browser.until("return document.querySelectorAll('.tl').length") == len(entries)


@in_both
def test_the_lightbox_works_with_the_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page, "#gallery")
    browser.click(".gfig button")
    first = browser.text(".lb h2")
    browser.until(
        "const i = document.querySelector('.lb img'); return i.complete && i.naturalWidth"
    )
    assert browser.run("return document.querySelector('.lb img').naturalWidth") == 640
    browser.keys("Right")
    browser.until("return document.querySelector('.lb h2').textContent !== arguments[0]", first)
    browser.keys("Down")
    browser.until("return document.querySelector('.lb footer').textContent.includes('insert.png')")
    browser.keys("Escape")
    browser.until("return !document.querySelector('.lb')")


def test_images_that_no_browser_opens_say_where_they_are(browser: Browser, tmp_path: Path) -> None:
    psm = PipestatManager(config_dict={"backend": "memory"})
    psm.report({"plot": {"path": "s3://bucket/a/plot.png", "title": "t"}}, "s1")
    report = build_report(psm.store, tmp_path)[0]
    browser.open(report, "#gallery")
    assert "on S3, not fetched" in browser.text(".gpad")
    browser.open(report, "#overview")
    assert "--fetch-images" in browser.text("main")
    assert browser.run("return document.images.length") == 0


@in_both
def test_the_header_stays_above_the_rows(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.run("document.querySelector('.grid').scrollTo(300, 1000)")
    corner = (
        "const b = document.querySelector('.grid').getBoundingClientRect();"
        "return document.elementFromPoint(b.left + %d, b.top + 18).closest('thead') !== null"
    )
    browser.until("return document.querySelector('tr.row').dataset.place > 5")
    assert browser.run(corner % 100)
    assert browser.run(corner % 400)
    column = "return document.elementFromPoint(b.left + 100, b.top + 300).closest('th') !== null"
    assert browser.run(corner.partition("return")[0] + column)


@in_both
def test_the_page_itself_never_scrolls(browser: Browser, page: Path) -> None:
    browser.open(page, "#overview")
    for view in ("records", "gallery", "plots", "glossary", "records?rec=brain_R02", "overview"):
        browser.turn_to(f"#{view}")
        fits = "return document.documentElement.scrollHeight <= innerHeight"
        assert browser.run(fits), view


EMPTY = {
    "nothing": ({}, {}, "No records yet"),
    "known": ({}, {"not_reported": ("a",)}, "nothing was reported"),
    "one": ({"a": ({"n": 1}, None)}, {}, "1 record"),
    "statuses": ({"a": ({}, "failed"), "b": ({}, "running")}, {}, "Only statuses were reported"),
    "missing files": ({"a": ({"f": {"path": "gone.txt", "title": "t"}}, None)}, {}, "1 file"),
}


@pytest.mark.parametrize("case", EMPTY)
def test_little_is_said_in_words(browser: Browser, tmp_path: Path, case: str) -> None:
    records, options, words = EMPTY[case]
    psm = PipestatManager(config_dict={"backend": "memory"})
    for name, (values, status) in records.items():
        if values:
            psm.report(values, name)
        if status:
            psm.set_status(status, name)
    report = build_report(psm.store, tmp_path, Options(**options))[0]
    browser.open(report, "#overview")
    assert words in browser.text("main")
    for view in ("records", "gallery", "plots"):
        browser.turn_to(f"#{view}")
        assert browser.text("main").strip(), view


def test_the_gallery_shares_the_filter_and_names_what_is_missing(
    browser: Browser, page: Path
) -> None:
    browser.open(page, "#gallery?where=record_identifier+like+'%25R06'")
    assert "the file is not there" in browser.text(".gpad")
    assert browser.run("return [...document.images].every(i => !i.complete || i.naturalWidth)")


@in_both
def test_the_state_survives_a_reload(browser: Browser, page: Path) -> None:
    browser.open(page, "#records")
    browser.filter("reads > 30000000")
    browser.click("[data-facet=genome] input", 0)
    browser.until("return document.querySelector('.chip')")
    fragment = browser.run("return location.hash")
    before = (count(browser), browser.texts("tbody .id"))
    browser.open(page, fragment)
    assert (count(browser), browser.texts("tbody .id")) == before
    assert browser.run("return location.hash") == fragment


def test_a_link_with_unknown_names_warns(browser: Browser, page: Path) -> None:
    browser.open(page, "#records?sort=no_such_result&rec=no_such_record")
    assert "no_such_result" in browser.text(".warning")
    browser.filter("nothing > 1")
    assert "no result is called nothing" in browser.text("#fstat")


def test_an_error_names_the_column_and_the_last_filter_holds(browser: Browser, page: Path) -> None:
    browser.open(page, "#records?where=genome+%3D+'hg19'")
    before = count(browser)
    browser.run("const b = document.querySelector('#where'); b.focus(); b.select()")
    browser.type("genome == 'x'")
    browser.keys("Enter")
    assert "Column 8" in browser.text("#fstat .err")
    assert len(browser.texts("tbody .id")) == min(before, len(browser.texts("tbody .id")))


@in_both
def test_plots_draw_and_filter(browser: Browser, page: Path) -> None:
    browser.open(page, "#plots")
    assert browser.until("return document.querySelectorAll('.pcard path.fill').length") > 4
    browser.run("document.querySelector('[data-plot=reads] svg').focus()")
    browser.keys("Right", "Enter")
    assert "reads >= " in browser.text(".chip")
    browser.run("document.querySelector('[data-plot=scatter] svg').focus()")
    browser.keys("Right", "Enter")
    browser.until("return document.querySelector('.drawer')")


def test_downloads_are_what_is_shown(
    new_browser: OpenBrowser, page: Path, project: tuple[Path, PipestatManager], tmp_path: Path
) -> None:
    browser = new_browser(downloads=tmp_path)
    browser.open(page, "#records?where=reads+%3E+35000000")
    rows = selected(project[1], "reads > 35000000")
    for index, suffix in enumerate(("csv", "tsv", "json")):
        browser.click(".mw.end button")
        browser.click(".menu .mi", index)
        path = tmp_path / f"rnaseq.{suffix}"
        patience.wait_until(path.exists, f"{path.name} is downloaded")
        text = path.read_text("utf-8")
        if suffix == "json":
            found = json.loads(text)
        else:
            delimiter = {"csv": ",", "tsv": "\t"}[suffix]
            found = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
        assert [record["record_identifier"] for record in found] == rows
        stored = project[1].retrieve_one(rows[0])
        assert str(found[0]["reads"]) == str(stored["reads"])
        assert str(found[0]["mapping_rate"]) == str(stored["mapping_rate"])
    assert browser.complaints() == []


def test_dark_and_light(seen_as: OpenBrowser, page: Path) -> None:
    browser = seen_as(dark=True)
    browser.open(page)
    assert browser.run(GROUND) == DARK
    browser.click("#theme")
    browser.until(f"{GROUND} === '{LIGHT}'")


def test_on_a_phone(seen_as: OpenBrowser, page: Path) -> None:
    browser = seen_as(size=(390, 844))
    browser.open(page, "#overview")
    for view in ("records", "gallery", "plots", "glossary", "overview"):
        browser.turn_to(f"#{view}")
        browser.until("return document.querySelector('main').textContent")
        assert browser.run("return document.documentElement.scrollWidth") <= 390, view
    browser.turn_to("#records?rec=kidney_R01")
    # Modal: what is under it cannot be reached.
    assert browser.until("return document.querySelector('.drawer:modal')?.offsetWidth") == 390


def test_without_scripts_a_summary_remains(new_browser: OpenBrowser, page: Path) -> None:
    browser = new_browser(scripts=False)
    browser.window.go(page.as_uri())
    text = browser.run("return document.body.innerText")
    assert "242" not in text.split("records")[0]
    assert "240 records" in text
    assert "brain_R01" in text
    assert "zebra_1" in text


HOSTILE = (
    "<script>window.broken=1</script>",
    "<img src=x onerror=window.broken=1>",
    "</script><script>window.broken=1</script>",
    "</noscript><script>window.broken=1</script>",
    "javascript:window.broken=1",
    '"><b>bold</b>',
    "]]>&lt;!--",
    "=HYPERLINK(0)",
    "evil \u202egnp.exe",
)
VIEWS = ("overview", "records", "gallery", "plots", "glossary")


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which everything that a pipeline and a schema can name is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    results = {
        text: {"type": "string", "description": text, "title": text, "highlight": True}
        for text in HOSTILE
    }
    image = {"type": "image", "description": HOSTILE[0]}
    properties = {
        "pipeline_name": "hostile",
        "samples": {"properties": {**results, "plot": image}},
        "project": {"properties": {"plot": image, **results}},
    }
    statuses = {"odd": {"description": HOSTILE[0], "color": [1, 2, 3]}}
    schema = {"title": HOSTILE[2], "description": HOSTILE[1], "properties": properties}
    (folder / "schema.yaml").write_text(json.dumps(schema))
    (folder / "statuses.yaml").write_text(json.dumps(statuses))
    psm = PipestatManager(
        results_file_path=str(folder / "r.yaml"),
        schema_path=str(folder / "schema.yaml"),
        status_schema_path=str(folder / "statuses.yaml"),
    )
    for text in HOSTILE:
        bell = f"{text}\x1b[31m\x07"
        values = {
            **dict.fromkeys(HOSTILE, bell),
            "plot": {"path": text, "title": text, "thumbnail_path": text},
            "undeclared": {text: [bell, {text: -1}]},
        }
        psm.report(values, text)
        psm.set_status("odd", text, message=bell)
        psm.report({HOSTILE[0]: text}, text, force_overwrite=True)
    psm.report({HOSTILE[0]: HOSTILE[0], "plot": values["plot"]}, HOSTILE[1], level="project")
    options = Options(not_reported=(f"unknown {HOSTILE[0]}",))
    return build_report(psm.store, folder, options)[0]


def assert_harmless(browser: Browser) -> None:
    assert browser.run("return window.broken ?? null") is None
    for made in ("script[src]", "img[src=x]", "#app script", "[onerror]", "iframe", "main b b"):
        assert browser.run(f"return document.querySelectorAll('{made}').length") == 0, made
    hrefs = browser.run("return [...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(hrefs) <= {"file:", "http:", "https:"}
    shown = browser.run("return document.body.innerText")
    assert not re.search("[\\x00-\\x08\\x0b-\\x1f\\u202a-\\u202e\\u2066-\\u2069]", shown)


@in_both
def test_a_hostile_store_is_text(browser: Browser, hostile_page: Path) -> None:
    for view in (*VIEWS, "compare?sel=" + ",".join(map(quote, HOSTILE[:2]))):
        browser.open(hostile_page, f"#{view}")
        browser.until("return document.querySelector('main').textContent.trim()")
        assert_harmless(browser)
    for text in HOSTILE:
        browser.turn_to(f"#records?rec={quote(text)}")
        shown = text.replace("\u202e", "\\u202e")
        assert browser.text(".drawer h2") == shown
        assert f"{shown}\\u001b[31m\\u0007" in browser.text(".drawer .db")
        assert_harmless(browser)
    browser.turn_to("#gallery")
    browser.click(".gfig button")
    browser.until("return document.querySelector('.lb h2')")
    assert_harmless(browser)


def test_a_hostile_store_is_text_without_scripts(
    new_browser: OpenBrowser, hostile_page: Path
) -> None:
    browser = new_browser(scripts=False)
    browser.window.go(hostile_page.as_uri())
    assert HOSTILE[0] in browser.run("return document.querySelector('#static').innerText")
    assert_harmless(browser)


@pytest.fixture(scope="module")
def big_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 10,000 records of 40 numbers."""
    psm = PipestatManager(config_dict={"backend": "memory"})
    chance = random.Random(1)
    psm.report_many(
        {f"s{i:05}": {f"n{k:02}": chance.gauss(0, 1) for k in range(40)} for i in range(10_000)}
    )
    return build_report(psm.store, tmp_path_factory.mktemp("big"))[0]


@in_both
def test_ten_thousand_records(browser: Browser, big_page: Path) -> None:
    browser.open(big_page, "#records")
    assert count(browser) == 10_000
    assert len(browser.texts("tr.row")) < 100
    browser.filter("n00 > 0 and n01 > 0")
    assert 2000 < count(browser) < 3000
    browser.run("document.querySelector('.grid').scrollTop = 1e9")
    browser.until("return +[...document.querySelectorAll('tr.row')].at(-1).dataset.place > 2000")
    browser.turn_to("#plots")
    assert browser.until("return document.querySelectorAll('path.dense').length") > 1


@pytest.fixture(scope="module")
def wide_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with ten highlighted results of long names and messages of several lines."""
    folder = tmp_path_factory.mktemp("wide")
    names = [f"a_result_with_a_long_name_{letter}" for letter in "abcdefghij"]
    results = {name: {"type": "integer", "highlight": True} for name in names}
    schema = {"properties": {"pipeline_name": "wide", "samples": {"properties": results}}}
    (folder / "schema.yaml").write_text(json.dumps(schema))
    psm = PipestatManager(
        results_file_path=str(folder / "r.yaml"), schema_path=str(folder / "schema.yaml")
    )
    psm.report_many({f"rec{i:03}": dict.fromkeys(names, 10**9 + i) for i in range(120)})
    for i in range(120):
        psm.set_status(
            "failed", f"rec{i:03}", message=f"start{i:03} " + "word " * 30 + f"end{i:03}"
        )
    return build_report(psm.store, folder)[0]


def printed_pages(pdf: bytes) -> list[tuple[str, float, float]]:
    """Return of each page its text, its width and where its text ends on the right."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    pages = []
    for page in document:
        text = page.get_textpage()
        right = max(text.get_rect(i)[2] for i in range(text.count_rects()))
        pages.append((text.get_text_bounded(), page.get_width(), right))
        text.close()
        page.close()
    document.close()
    return pages


@in_both
def test_a_print_has_all_records_whole(browser: Browser, wide_page: Path) -> None:
    pytest.importorskip("pypdfium2")
    browser.open(wide_page, "#records?where=record_identifier+like+'rec0%25'")
    pages = printed_pages(browser.window.pdf())
    assert len(pages) > 3
    places: dict[str, int] = {}
    for number, (text, width, right) in enumerate(pages):
        # The header stands on every page, and no column is cut off.
        assert "status" in text
        assert right < width
        for name in re.findall(r"(?:rec|start|end)\d{3}", text):
            assert name not in places
            places[name] = number
    assert len(places) == 300
    for i in range(100):
        # No record begins on one page and ends on the next.
        assert places[f"rec{i:03}"] == places[f"end{i:03}"]
    assert re.search(r"The first \d of 10 highlighted results", " ".join(pages[0][0].split()))
    assert browser.until("return !document.querySelector('#print table')")


@in_both
def test_an_open_record_is_printed_alone(browser: Browser, page: Path) -> None:
    pytest.importorskip("pypdfium2")
    browser.open(page, "#records?rec=kidney_R01")
    text = "\n".join(text for text, _, _ in printed_pages(browser.window.pdf()))
    assert "kidney_R01" in text
    assert "mapping_rate" in text
    assert "CTGTCTCTTATA" in text or "AGATCGGAAGAGC" in text
    assert "brain_R01" not in text


def test_forced_colours(seen_as: OpenBrowser, page: Path) -> None:
    """With the reader's own colours nothing is told by a tint alone."""
    browser = seen_as(forced_colours=True)
    browser.open(page, "#records?sel=brain_R02")
    assert browser.run("return matchMedia('(forced-colors: active)').matches")
    style = "return (e => e && [getComputedStyle(e)].map(s => %s)[0])(document.querySelector('%s'))"
    assert browser.until(style % ("s.outlineStyle", "tr.on")) == "solid"
    assert browser.run(style % ("s.borderTopStyle", "tr.row .st")) == "solid"
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    for mark in ("tr.row .brk i", "tr.row .trk i", "tr.row .trk"):
        assert browser.run(style % ("s.backgroundColor", mark)) != ground, mark
    browser.turn_to("#overview")
    shades = (
        "return [...document.querySelectorAll('.sbar span')]"
        ".map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(browser.run(shades))) == 6
    browser.turn_to("#plots")
    browser.until("return document.querySelector('.pcard path.fill')")
    text = browser.run("return getComputedStyle(document.body).color")
    assert browser.run(style % ("s.fill", ".pcard text")) == text
    assert browser.run(style % ("s.stroke", ".pcard path.fill")) == text
    browser.turn_to("#compare?sel=brain_R01,heart_R01")
    assert browser.until(style % ("s.outlineStyle", ".cmp td.x")) == "dashed"


def axe_source() -> str:
    from tests.environments import MissingPart, npm_libraries
    from tests.legs import leave_out
    from tests.report.web import WEB

    try:
        libraries = npm_libraries("report-web", WEB)
        return (libraries / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    except MissingPart as missing:
        leave_out("node", str(missing), "apt-get install nodejs npm")


WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_accessibility(seen_as: OpenBrowser, page: Path, dark: bool) -> None:
    """All rules where the ground is light; where it is dark only the colours are others."""
    browser = seen_as(dark=dark)
    source = axe_source()
    views = (
        *("overview", "records", "gallery", "plots", "glossary"),
        "records?rec=kidney_R01",
        "compare?sel=kidney_R01,liver_R02",
    )
    found: list[Any] = []
    checked = 0
    browser.open(page)
    assert browser.run(GROUND) == (DARK if dark else LIGHT)
    browser.run(source)
    for view in views:
        browser.turn_to(f"#{view}")
        browser.run(
            "window.outcome = null;"
            "axe.run({runOnly: arguments[0]})"
            ".then(r => window.outcome = {passed: r.passes.length, found: r.violations.map("
            "v => [v.id, v.nodes.map(n => [n.target, n.failureSummary])])})",
            {"type": "rule", "values": OF_COLOURS} if dark else {"type": "tag", "values": WCAG},
        )
        outcome = browser.until("return window.outcome")
        found += [(view, *one) for one in outcome["found"]]
        checked += outcome["passed"]
    assert found == []
    # At least the contrast, in each view.
    assert checked >= len(views)
