"""The other pages, and what holds for all of them: phones, colours, keys."""

import json
from pathlib import Path

import pytest
from console_browser import PHONE, Page
from console_daemon import Remixed, RunningDaemon

PAGES = ("remix", "mix", "generate", "jobs", "library", "system")

CONTRASTS = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
const rgba = (css) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = css;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a)).concat(1);
const ground = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
};
const light = (colour) => {
  const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = colour.map((value) => linear(value / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!text || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
  const under = ground(element);
  const [a, b] = [light(over(rgba(getComputedStyle(element).color), under)), light(under)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push([element.className || element.tagName, element.textContent.slice(0, 30), ratio]);
}
return poor;
"""

TABBED = "return document.activeElement && (document.activeElement.textContent || '').trim()"
OUTLINED = "return getComputedStyle(document.activeElement).outlineStyle"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_can_be_read_in_both_themes(page: Page, remixed: Remixed, theme: str) -> None:
    page.prefer(**{"prefers-color-scheme": theme})
    for name in (*PAGES, f"return/{remixed.job_id}"):
        page.go(f"#/{name}")
        page.wait("document.querySelector('.loading') === null")
        assert page.run(CONTRASTS) == [], name
    page.wait("document.querySelector('.mixer').dataset.peaks === 'shown'", within_s=30)
    page.picture(f"return-{theme}")


def test_the_switch_beats_the_system(page: Page) -> None:
    page.go("#/system")
    page.click(".segments input[value=light]")
    assert page.run("return getComputedStyle(document.documentElement).colorScheme") == "light"
    page.click(".segments input[value=dark]")
    assert page.run("return getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_words_of_the_menu_are_whole_on_a_phone(page: Page) -> None:
    for width in (PHONE[0], 340):
        page.look(width, PHONE[1])
        page.go("#/remix")
        cut = page.run(
            "return [...document.querySelectorAll('.nav-words')]"
            ".filter((e) => e.scrollWidth > e.clientWidth + 1 || getComputedStyle(e).textOverflow === 'ellipsis')"
            ".map((e) => e.textContent)"
        )
        assert cut == []
        assert page.run(
            "return [...document.querySelectorAll('.nav-words')].every((e) => e.offsetHeight > 0)"
        )


def test_no_page_scrolls_sideways_on_a_phone(page: Page, remixed: Remixed) -> None:
    page.look(*PHONE)
    for name in (*PAGES, f"return/{remixed.job_id}"):
        page.go(f"#/{name}")
        page.wait("document.querySelector('.loading') === null")
        assert page.run("return document.documentElement.scrollWidth") <= PHONE[0], name
        small = page.run(
            "return [...document.querySelectorAll('nav a, main button')].filter((e) => e.checkVisibility())"
            ".map((e) => [e.textContent, e.getBoundingClientRect()])"
            ".filter(([, box]) => box.width < 28 || box.height < 28).map(([text]) => text)"
        )
        assert small == [], name
    page.picture("return-phone")


def test_the_library_is_searched_by_words(page: Page, remixed: Remixed) -> None:
    page.go("#/library")
    page.wait("document.querySelectorAll('.return-card').length > 0")
    search = page.find("input[type=search]")
    search.send_keys("lofi small")
    titles = "[...document.querySelectorAll('.return-title')].map((title) => title.textContent)"
    page.wait(
        f"{titles}.length > 0 && {titles}.every((title) => title.startsWith('small song - lofi_chill'))"
    )
    shown = len(page.all(".return-card"))
    assert page.text("main p[role=status]") == (f"{shown} returns" if shown > 1 else "1 return")
    page.picture("library")
    search.send_keys(" zydeco")
    page.wait("document.querySelectorAll('.return-card').length === 0")
    assert "zydeco" in page.text("p[role=status]")


def test_stems_are_mixed_with_their_roles_and_mastered_to_the_target(
    page: Page, daemon: RunningDaemon, songs: Path
) -> None:
    page.go("#/mix")
    names = ("Lead Vox.wav", "Drum Kit.wav", "DI Bass.wav", "Rhodes.wav")
    page.find("input[type=file]").send_keys("\n".join(str(songs / name) for name in names))
    page.wait("document.querySelectorAll('.file select').length === 4")
    page.wait("!document.querySelector('button.large').disabled")
    guessed = page.run("return [...document.querySelectorAll('.file select')].map((s) => s.value)")
    assert guessed == ["vocals", "drums", "bass", "keys"]
    page.run(
        "const role = document.querySelectorAll('.file select')[3]; role.value = 'synth';"
        "role.dispatchEvent(new Event('change'))"
    )
    page.find("input[max='-5']").clear()
    page.find("input[max='-5']").send_keys("-16")
    page.picture("mix-page")
    page.click("button.large")
    ended = "nrx.store.list().find((job) => job.action === 'mix' && job.finished_at)"
    page.wait(ended, within_s=60)
    manifest = daemon.call("GET", f"/v2/returns/{page.run(f'return {ended}.id')}")
    assert manifest["loudness"]["master"]["integrated_lufs"] == pytest.approx(-16, abs=0.3)
    roles = {item["name"]: item["role"] for item in manifest["request"]["inputs"]}
    assert roles == dict(zip(names, ("vocals", "drums", "bass", "synth"), strict=True))
    page.click(".job .job-buttons a")
    page.wait("document.querySelectorAll('.strip').length >= 4")


def test_music_from_words_plays_when_it_is_there(page: Page, daemon: RunningDaemon) -> None:
    page.go("#/generate")
    page.find("textarea").send_keys("lofi chill in A minor at 80 bpm")
    page.click(".segments input[value='15']")
    page.click("button.large")
    page.wait("document.querySelector('.mixer') !== null", within_s=60)
    page.wait("document.querySelector('.mixer').player.positionS > 0.5")
    manifest = daemon.call(
        "GET", f"/v2/returns/{page.run('return document.querySelector(`.mixer`).deck.id')}"
    )
    assert manifest["request"]["prompt"] == "lofi chill in A minor at 80 bpm"
    page.picture("generate-page")


def test_the_system_page_shows_the_daemon(page: Page, daemon: RunningDaemon) -> None:
    page.go("#/system")
    page.wait("document.querySelector('.loading') === null")
    words = page.text("main")
    for fact in (
        "Version",
        "Free on the disk",
        "spectral",
        "arranger",
        "Watched folders",
        daemon.url.removeprefix("http://"),
    ):
        assert fact in words
    page.picture("system")


def test_keys_alone_lead_from_the_first_page_to_the_playing_song(page: Page, remixed: Remixed) -> None:
    reached = []
    for _ in range(40):
        page.press("TAB")
        reached.append(page.run(TABBED))
        assert page.run(OUTLINED) != "none" or page.run("return document.activeElement.matches('input')")
        if reached[-1] == "Library":
            break
    assert reached[-1] == "Library", reached
    page.press("ENTER")
    page.wait("document.querySelector('.return-card') !== null")
    for _ in range(20):
        page.press("TAB")
        if "small song - lofi" in page.run(TABBED):
            break
    page.press("ENTER")
    page.wait("document.querySelector('.mixer') !== null")
    page.press(" ")
    page.wait("document.querySelector('.mixer').player.positionS > 0.2")


def test_a_style_is_chosen_and_sliders_are_moved_with_keys(page: Page) -> None:
    page.run("document.querySelector('.style-card input').focus()")
    page.press("ARROW_RIGHT")
    assert page.run("return document.querySelectorAll('.style-card input')[1].checked")
    page.run("document.querySelector('input[name=energy]').focus()")
    before = page.text(".slider-words")
    page.press(*["ARROW_RIGHT"] * 10)
    assert page.text(".slider-words") != before
    assert "times" in page.run("return document.activeElement.getAttribute('aria-valuetext')")


def test_every_control_has_a_name(page: Page, remixed: Remixed) -> None:
    for name in (*PAGES, f"return/{remixed.job_id}"):
        page.go(f"#/{name}")
        page.wait("document.querySelector('.loading') === null")
        tree = page.command("Accessibility.getFullAXTree")["nodes"]
        roles = {
            "button",
            "link",
            "slider",
            "checkbox",
            "radio",
            "combobox",
            "textbox",
            "searchbox",
            "spinbutton",
        }
        nameless = [
            json.dumps(node.get("properties", []))[:200]
            for node in tree
            if not node.get("ignored")
            and node.get("role", {}).get("value") in roles
            and not node.get("name", {}).get("value", "").strip()
        ]
        assert nameless == [], name


def test_motion_is_left_out_where_it_is_not_wanted(page: Page) -> None:
    page.prefer(**{"prefers-reduced-motion": "reduce"})
    animated = page.run(
        "return [...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).animationName !== 'none'"
        " || parseFloat(getComputedStyle(e).transitionDuration) > 0).length"
    )
    assert animated == 0
