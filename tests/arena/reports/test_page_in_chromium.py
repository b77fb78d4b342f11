"""The page in a real browser. A request that leaves, or a word on the console, fails every test here."""

import pytest

_COLUMN = "(table) => [...table.tBodies[0].rows].map(row => row.cells[0].textContent)"


def names(page) -> list[str]:
    return [name[:4] for name in page.locator("#table").evaluate(_COLUMN)]


def test_a_click_sorts_numbers_as_numbers_and_another_turns_them_round(opened, page_file):
    page = opened(page_file)
    heading = page.locator("#table th", has_text="mean")
    assert heading.get_attribute("aria-sort") == "none"
    heading.get_by_role("button").click()
    assert names(page) == ["good", "a na", "poor", "<scr"]  # 100, 10, 9, missing
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator("#said").inner_text() == "Sorted by mean, descending."
    heading.get_by_role("button").click()
    assert names(page) == ["poor", "a na", "good", "<scr"]
    assert heading.get_attribute("aria-sort") == "ascending"


def test_the_keyboard_sorts_texts_from_a_to_z(opened, page_file):
    page = opened(page_file)
    page.locator("#table th button", has_text="agent").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["<scr", "a na", "good", "poor"]
    page.keyboard.press("Space")
    assert names(page) == ["poor", "good", "a na", "<scr"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "mean"


def test_a_long_list_is_shown_by_the_page_and_sorts_as_a_whole(opened, page_file):
    page = opened(page_file)
    page.get_by_text("Every match").first.click()
    rows, status = page.locator("#list tbody tr"), page.locator(".pager [role=status]")
    assert rows.count() == 25
    assert status.inner_text() == "1 to 25 of 60"
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    assert status.inner_text() == "51 to 60 of 60"
    assert page.get_by_role("button", name="Next").is_disabled()
    page.locator("#list th button", has_text="mean").click()
    assert status.inner_text() == "1 to 25 of 60"
    assert rows.first.locator("td").all_inner_texts() == ["17", "safe\\u202egnp.exe", "59"]  # 17 * 7 = 119 = 59 mod 60


@pytest.mark.parametrize("is_blob", (False, True))
def test_films_play(opened, page_file, is_blob):
    page = opened(page_file)
    page.evaluate("document.querySelector('video').muted = true")
    if is_blob:
        page.evaluate("document.querySelector('video').dispatchEvent(new Event('error'))")
        assert page.evaluate("document.querySelector('video').src").startswith("blob:")
    time, state, width = page.evaluate(_PLAYED)
    assert time > 0.2
    assert state >= 2
    assert width == 96


@pytest.mark.parametrize("width", (320, 375, 768, 1280))
def test_nothing_makes_the_page_wider_than_the_window(opened, page_file, width):
    page = opened(page_file, width=width)
    for fold in page.locator("summary").all():
        fold.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_wide_tables_scroll_inside_regions_that_the_keyboard_reaches(opened, page_file):
    page = opened(page_file, width=375)
    region = page.get_by_role("region", name="All of them")
    assert region.evaluate("region => region.scrollWidth > region.clientWidth")
    region.evaluate("region => { window.ended = new Promise(done => region.onscrollend = () => done(true)); }")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate("window.ended")
    assert region.evaluate("region => region.scrollLeft > 0")


def test_everything_that_can_be_used_has_a_name(opened, page_file):
    page = opened(page_file)
    used = page.locator("button, a, summary, video, [role=region], [role=img]")
    assert used.count() > 10
    nameless = "e => e.ariaLabel || e.textContent.trim() || document.getElementById(e.getAttribute('aria-labelledby'))"
    assert [
        item.evaluate("e => e.outerHTML") for item in used.all() if not item.evaluate(f"{nameless} ? true : false")
    ] == []


def test_strangers_code_does_not_run(opened, page_file):
    page = opened(page_file)
    assert page.title() == "cup"


def test_the_button_turns_light_into_dark_and_back(opened, page_file):
    page = opened(page_file, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light, button = page.evaluate(ground), page.locator("#theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert page.evaluate(ground) != light
    button.click()
    assert page.evaluate(ground) == light


def test_on_paper_the_page_is_light_and_fits(opened, page_file):
    page = opened(page_file, width=760, color_scheme="dark")
    page.locator("#theme").click()
    page.locator("#theme").click()  # dark, by the button too
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 760
    assert page.locator("pre").is_visible()  # folds are open


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_texts_stand_out_from_what_is_behind_them(opened, page_file, scheme):
    page = opened(page_file, color_scheme=scheme)
    for fold in page.locator("summary").all():
        fold.click()
    assert page.evaluate(_POOR_CONTRAST) == []


# The page's policy forbids what Playwright's own waiting needs, so the page waits itself.
_PLAYED = """() => new Promise((done, fail) => {
  const video = document.querySelector("video");
  video.addEventListener("timeupdate", () => {
    if (video.currentTime > 0.2) done([video.currentTime, video.readyState, video.videoWidth]);
  });
  video.play().catch(fail);
})"""

# WCAG 2.1, 1.4.3: a ratio of at least 4.5 of a text's colour to all colours behind it, laid over each other.
_POOR_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const unseen = "script, style, noscript, .hidden, .skip, svg title, :disabled";
    if (!walker.currentNode.data.trim() || element.closest(unseen)) continue;
    const behind = [];
    for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
    const style = getComputedStyle(element);
    const ground = over(["white", ...behind]);
    const ink = over(["white", ...behind, element.closest("svg") ? style.fill : style.color]);
    const [a, b] = [luminance(ink), luminance(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push([walker.currentNode.data.trim().slice(0, 30), ratio]);
  }
  return poor;
}"""
