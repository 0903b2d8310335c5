"""The report in Chromium and in Firefox, opened from a file; its policy is never violated."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipestat_report.options import Options
from pipestat_report.report import build_report

from pipestat_spec import PipestatManager
from tests.report.browsers import Browser

pytestmark = pytest.mark.browser

OpenBrowser = Callable[..., Browser]
COUNT = r"return (document.querySelector('#fstat b')?.textContent ?? '').replace(/\D/g, '')"


def count(browser: Browser) -> int:
    return int(browser.until(COUNT))


def selected(psm: PipestatManager, where: str) -> list[str]:
    page = psm.select_records(where=where)
    return [record["record_identifier"] for record in page["records"]]


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


@pytest.mark.parametrize(
    "where",
    [
        "reads > 30000000 and genome = 'hg38'",
        "not (status = 'completed') or mapping_rate < 0.9",
        "align.strand.protocol = 'reverse' and paired = false",
        "record_identifier like '%_R0_'",
        "coverage is null",
    ],
)
def test_a_filter_finds_what_select_finds(
    browser: Browser, page: Path, project: tuple[Path, PipestatManager], where: str
) -> None:
    browser.open(page, "#records")
    browser.filter(where)
    expected = selected(project[1], where)
    browser.until(f"{COUNT} === '{len(expected)}'")
    assert browser.texts("tbody .id")[:5] == expected[:5]


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


def test_the_gallery_shares_the_filter_and_names_what_is_missing(
    browser: Browser, page: Path
) -> None:
    browser.open(page, "#gallery?where=record_identifier+like+'%25R06'")
    assert "the file is not there" in browser.text(".gpad")
    assert browser.run("return [...document.images].every(i => !i.complete || i.naturalWidth)")


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
        end = time.monotonic() + 20
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.05)
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


def test_dark_and_light(new_browser: OpenBrowser, page: Path) -> None:
    browser = new_browser(dark=True)
    browser.open(page)
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert browser.run(ground) == "rgb(20, 23, 27)"
    browser.click("#theme")
    browser.until(f"{ground} === 'rgb(255, 255, 255)'")


def test_on_a_phone(new_browser: OpenBrowser, page: Path) -> None:
    browser = new_browser(size=(390, 844))
    for view in ("overview", "records", "gallery", "plots", "glossary"):
        browser.open(page, f"#{view}")
        browser.until("return document.querySelector('main').textContent")
        assert browser.run("return document.documentElement.scrollWidth") <= 390, view
    browser.open(page, "#records?rec=kidney_R01")
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
    "<img src=x onerror=window.broken=1>",
    "</script><script>window.broken=1</script>",
    "javascript:window.broken=1",
    '"><b>bold</b>',
    "]]>&lt;!--",
)


def test_hostile_values_are_text(browser: Browser, tmp_path: Path) -> None:
    psm = PipestatManager(
        results_file_path=str(tmp_path / "r.yaml"), pipeline_name="</title><b>x</b>"
    )
    for text in HOSTILE:
        values = {
            "text": text,
            "nested": {text: [text]},
            "link": {"path": text, "title": text},
        }
        psm.report({**values, text: 1}, text)
    report = build_report(psm.store, tmp_path, Options(title=HOSTILE[1]))[0]
    for view in ("overview", "records", "gallery", "plots", "glossary"):
        browser.open(report, f"#{view}")
        assert browser.run("return window.broken ?? null") is None
        assert (
            browser.run("return document.querySelectorAll('b b, img[src=x], main b b').length") == 0
        )
    browser.open(report, "#records")
    assert HOSTILE[0] in browser.texts("tbody .id")
    hrefs = browser.run("return [...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(hrefs) <= {"file:", "http:", "https:"}


def test_ten_thousand_records(browser: Browser, tmp_path: Path) -> None:
    script = (
        "import random, sys\n"
        "from pathlib import Path\n"
        "from pipestat_spec import PipestatManager\n"
        "from pipestat_report.report import build_report\n"
        "psm = PipestatManager(config_dict={'backend': 'memory'})\n"
        "chance = random.Random(1)\n"
        "psm.report_many({f's{i:05}': {f'n{k:02}': chance.gauss(0, 1) for k in range(40)}\n"
        "                 for i in range(10_000)})\n"
        "build_report(psm.store, Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "big.html")], check=True)
    browser.open(tmp_path / "big.html", "#records")
    assert count(browser) == 10_000
    assert len(browser.texts("tr.row")) < 100
    browser.filter("n00 > 0 and n01 > 0")
    assert 2000 < count(browser) < 3000
    browser.run("document.querySelector('.grid').scrollTop = 1e9")
    browser.until("return +[...document.querySelectorAll('tr.row')].at(-1).dataset.place > 2000")
    browser.open(tmp_path / "big.html", "#plots")
    assert browser.until("return document.querySelectorAll('path.dense').length") > 1


def test_printing_shows_all_records(new_browser: OpenBrowser, page: Path, tmp_path: Path) -> None:
    browser = new_browser()
    browser.open(page, "#records?where=genome+%3D+'hg19'")
    expected = count(browser)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("return document.querySelectorAll('#print tbody tr').length") >= expected
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.until("return !document.querySelector('#print table')")


def axe_source() -> str:
    from tests.environments import MissingPart, report_web_folder
    from tests.legs import leave_out

    try:
        return (report_web_folder() / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    except MissingPart as missing:
        leave_out("node", str(missing), "apt-get install nodejs npm")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_accessibility(new_browser: OpenBrowser, page: Path, dark: bool) -> None:
    browser = new_browser(dark=dark)
    source = axe_source()
    views = (
        *("overview", "records", "gallery", "plots", "glossary"),
        "records?rec=kidney_R01",
        "compare?sel=kidney_R01,liver_R02",
    )
    found: list[Any] = []
    for view in views:
        browser.open(page, f"#{view}")
        browser.run(source)
        browser.run(
            "window.outcome = null;"
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
            ".then(r => window.outcome = {found: r.violations.map("
            "v => [v.id, v.nodes.map(n => [n.target, n.failureSummary])])})"
        )
        outcome = browser.until("return window.outcome")
        found += [(view, *one) for one in outcome["found"]]
    assert found == []
