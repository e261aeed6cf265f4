"""The page in a real browser: scrubbed, clicked, searched, by mouse and by keys alone."""

from contextlib import contextmanager

import pytest

from mpnet.errors import shown
from mpnet.report import figures
from mpnet.report.page import build_page
from mpnet.report.sources import Sources
from tests.report import records
from tests.report.browsers import browser

COLOURS = """() => {
  const graph = document.getElementById("graph");
  return [...graph.data.find((trace) => trace.customdata).marker.color];
}"""
PAINTED = """() => [...document.querySelectorAll("#graph .scatterlayer .trace")]
  .filter((trace) => trace.querySelectorAll(".points path").length === COUNT)
  .flatMap((trace) => [...trace.querySelectorAll(".points path")].map((path) => path.style.fill))"""
SPOT = """(index) => {
  const graph = document.getElementById("graph"), box = graph.getBoundingClientRect();
  const trace = graph.data.find((one) => one.customdata), {xaxis, yaxis, margin} = graph.layout;
  const across = (trace.x[index] - xaxis.range[0]) / (xaxis.range[1] - xaxis.range[0]);
  const up = (trace.y[index] - yaxis.range[0]) / (yaxis.range[1] - yaxis.range[0]);
  return [box.left + margin.l + across * (box.width - margin.l - margin.r),
          box.bottom - margin.b - up * (box.height - margin.t - margin.b)];
}"""


@pytest.fixture(scope="module")
def chrome():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files of pages, each written once; without figures, which are tested by themselves."""
    folder = tmp_path_factory.mktemp("pages")
    made = {"purple_jar": records.purple_jar, "hostile": records.hostile, "big": records.big}
    made |= {"inconsistent": records.inconsistent, "unfollowed": records.unfollowed}
    paths = {}

    def path(name):
        if name not in paths:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(figures, "default_figures", lambda record: ())
                text = build_page(made[name](), Sources("", ""), 10_000_000).html
            paths[name] = folder / f"{name}.html"
            paths[name].write_text(text, encoding="utf-8")
        return paths[name]

    return path


@contextmanager
def opened(chrome, path, **options):
    """An open page that is ready; fails if it says anything on the console or asks for anything."""
    said, asked = [], []
    context = chrome.new_context(offline=True, viewport={"width": 1300, "height": 900}, **options)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        yield page
    finally:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]


def told(page, place, text):
    """Wait until an element says something; the policy of the page forbids waiting for code."""
    from playwright.sync_api import expect

    expect(page.locator(f"#{place}")).to_contain_text(text, timeout=30_000)


def scrub(page, row):
    page.evaluate(
        """async (row) => {
          const slider = document.getElementById("slider");
          slider.value = row;
          slider.dispatchEvent(new Event("input", {bubbles: true}));
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
        }""",
        row,
    )


@pytest.mark.parametrize("name", ["purple_jar", "hostile", "inconsistent", "unfollowed"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_opens_from_a_file_without_a_word(chrome, pages, name, scheme):
    with opened(chrome, pages(name), color_scheme=scheme) as page:
        assert page.locator("#list button").count() == 10
        assert page.locator("#graph .scatterlayer .trace").count() > 3


def test_scrubbing_changes_colours_and_words(chrome, pages):
    record = records.purple_jar()
    painted = PAINTED.replace("COUNT", str(len(record.nodes)))
    with opened(chrome, pages("purple_jar")) as page:
        scrub(page, 0)
        first = page.evaluate(COLOURS), page.evaluate(painted), page.inner_text("#now")
        scrub(page, 15)
        then = page.evaluate(COLOURS), page.evaluate(painted), page.inner_text("#now")
    assert len(first[0]) == len(record.nodes)
    assert len(first[1]) >= len(record.nodes)
    for before, after in zip(first, then):
        assert before != after
    index = [node.name for node in record.nodes].index("jar")
    assert then[0][index] == pytest.approx(record.trace.belief("jar", "active")[15], abs=1e-4)
    assert then[2].startswith("iteration 15 of 21")
    assert "residual" in then[2]
    assert "leader" in then[2]


def test_the_cursor_follows_in_every_picture_over_time(chrome, pages):
    where = """() => [...document.querySelectorAll(".cursor")].map((c) => c.getBoundingClientRect().left)"""
    with opened(chrome, pages("purple_jar")) as page:
        scrub(page, 3)
        early = page.evaluate(where)
        scrub(page, 18)
        late = page.evaluate(where)
    assert len(early) == 4
    assert all(b > a + 20 for a, b in zip(early, late))


def test_a_click_on_the_graph_explains_the_node(chrome, pages):
    names = [node.name for node in records.purple_jar().nodes]
    with opened(chrome, pages("purple_jar")) as page:
        page.locator("#graph").scroll_into_view_if_needed()
        page.mouse.click(*page.evaluate(SPOT, names.index("purple_jar")))
        told(page, "panel-title", "purple_jar")
        panel = page.inner_text("#panel")
        pressed = page.locator("#list button[aria-pressed=true]").inner_text()
    assert "purple_jar is active for colour" in panel
    assert "colour predicts it · without it 0.40" in panel
    assert "clamped differs" not in panel  # next to nothing
    assert "Messages that reach it" in panel
    assert "It predicts (3)" in panel
    assert pressed.startswith("purple_jar")


def test_a_click_in_the_list_explains_too_by_messages_where_nothing_else_does(chrome, pages):
    with opened(chrome, pages("purple_jar")) as page:
        page.locator("#list button", has_text="colour").click()
        assert page.inner_text("#panel-title") == "colour"
        panel = page.inner_text("#panel")
        page.locator("#panel-body button", has_text="purple_jar").first.click()
        assert page.inner_text("#panel-title") == "purple_jar"
    assert "Why: the messages that reach it" in panel
    assert "Predicted by (2)" in panel
    # Each made-up message says one nat less for every later state: green against purple, or so.
    assert "log-odds of purple against blue" in panel


def test_an_event_leads_to_its_iteration_and_node(chrome, pages):
    with opened(chrome, pages("purple_jar")) as page:
        page.locator("button.event", has_text="jar overtakes dancing").click()
        assert page.inner_text("#now").startswith("iteration 5 of 21")
        assert page.inner_text("#panel-title") == "jar"
        assert page.locator("button.event[aria-current=true]").inner_text().split()[0] == "5"


def test_search_and_filters_narrow_the_list(chrome, pages):
    listed = """() => [...document.querySelectorAll("#list .name")].map((one) => one.title)"""
    with opened(chrome, pages("purple_jar")) as page:
        page.fill("#search", "STATION")
        assert page.evaluate(listed) == ["stationary_dancing", "stationary"]
        assert page.inner_text("#found") == "2 of 10 nodes"
        lines = page.locator("#legend").inner_text()
        page.fill("#search", "")
        page.select_option("#kind", "feature")
        assert len(page.evaluate(listed)) == 4
        page.check("#seen")
        assert page.evaluate(listed) == ["motion", "size"]
        page.fill("#search", "no such node")
        assert page.inner_text("#found") == "no node is like that"
    assert "stationary" in lines


def test_everything_works_by_keys_alone(chrome, pages):
    with opened(chrome, pages("purple_jar")) as page:
        focus = "document.activeElement.id || document.activeElement.className"
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.append(page.evaluate(focus))
            if seen[-1] == "slider":
                break
        assert seen[0] == "skip"
        assert seen[-1] == "slider"
        for key, row in [
            ("Home", 0),
            ("ArrowRight", 1),
            ("ArrowRight", 2),
            ("ArrowLeft", 1),
            ("End", 21),
        ]:
            page.keyboard.press(key)
            told(page, "now", f"iteration {row} of")
        page.focus("#search")
        page.keyboard.type("jar ")
        assert page.inner_text("#now").startswith("iteration 21")
        page.keyboard.press("Backspace")
        while page.evaluate("document.activeElement.closest('#list') === null"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.inner_text("#panel-title") == "purple_jar"


def test_space_plays_to_the_end_and_stops_there(chrome, pages):
    with opened(chrome, pages("purple_jar")) as page:
        page.select_option("#speed", "4")
        page.focus("#slider")
        page.keyboard.press(" ")
        assert page.get_attribute("#play", "aria-pressed") == "true"
        told(page, "now", "iteration 21 of")
        page.wait_for_selector("#play[aria-pressed=false]")
        told(page, "status", "iteration 21 of")


def test_without_motion_play_goes_from_event_to_event(chrome, pages):
    with opened(chrome, pages("purple_jar"), reduced_motion="reduce") as page:
        page.select_option("#speed", "4")
        page.click("#play")
        rows = []
        for row in (3, 5, 11, 21):
            told(page, "now", f"iteration {row} of")
            rows.append(row)
    assert rows == [3, 5, 11, 21]


def test_hostile_names_show_as_text_and_do_not_run(chrome, pages):
    with opened(chrome, pages("hostile")) as page:
        titles = page.evaluate(
            "[...document.querySelectorAll('#list .name')].map((one) => one.title)"
        )
        for index in range(page.locator("#list button").count()):
            page.locator("#list button").nth(index).click()
        scrub(page, 2)
        page.fill("#search", "<script>")
        page.locator("#list button").first.click()
        assert page.inner_text("#panel-title") == records.HOSTILE[0]
        graph = page.evaluate(
            "[...document.querySelectorAll('#graph text')].map((one) => one.textContent).join(' ')"
        )
        assert page.evaluate("window.spoilt") is None
        assert page.locator("#graph a[href], #graph img, body > img, h1 script").count() == 0
    assert sorted(titles) == sorted(shown(name, 200) for name in records.HOSTILE)
    assert "<script" in graph


def test_a_script_that_got_in_all_the_same_would_not_run(chrome, pages, tmp_path):
    text = pages("purple_jar").read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(
        text.replace("<h1>", "<script>window.spoilt = 1</script><h1>"), encoding="utf-8"
    )
    page = chrome.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(spoilt.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    assert page.evaluate("window.spoilt") is None
    assert "Content Security Policy" in refused[0]
    page.close()


def test_a_thousand_nodes_over_500_iterations_do_not_freeze(chrome, pages):
    with opened(chrome, pages("big")) as page:
        assert page.inner_text("#found") == "1,000 nodes, 60 listed"
        took = page.evaluate(
            """async () => {
              const slider = document.getElementById("slider"), took = [];
              for (const row of [0, 499, 100, 250, 400]) {
                const start = performance.now();
                slider.value = row;
                slider.dispatchEvent(new Event("input", {bubbles: true}));
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
                took.push(performance.now() - start);
              }
              return took;
            }"""
        )
        assert page.inner_text("#now").startswith("iteration 400 of 499")
        page.click("#more")
        assert page.locator("#list button").count() == 120
    # Milliseconds; a tenth of it is usual. Far beyond, nobody could scrub.
    assert max(took) < 2000


def test_a_narrow_window_needs_no_scrolling_sideways(chrome, pages):
    with opened(chrome, pages("purple_jar")) as page:
        page.set_viewport_size({"width": 360, "height": 700})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_tables_are_there_and_controls_are_not(chrome, pages):
    with opened(chrome, pages("purple_jar"), java_script_enabled=False) as page:
        assert page.locator("#beliefs tbody tr").count() > 10
        assert page.locator("#player").is_hidden()
        assert page.locator("#society").is_hidden()
        assert "Scripts are off" in page.inner_text("body")


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("svg, script, style, noscript, .unseen, :disabled") || !element.checkVisibility()) continue;
    const a = light(parse(getComputedStyle(element).color)), b = light(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName}.${element.className} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(chrome, pages, scheme):
    with opened(chrome, pages("purple_jar"), color_scheme=scheme) as page:
        assert page.evaluate(CONTRAST) == []


def test_every_control_has_a_name(chrome, pages):
    unnamed = """() => [...document.querySelectorAll("button, input, select, [role=img], [role=region]")]
      .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length ||
        document.getElementById(one.getAttribute("aria-labelledby")))).map((one) => one.outerHTML.slice(0, 80))"""
    with opened(chrome, pages("purple_jar")) as page:
        assert page.evaluate(unnamed) == []
