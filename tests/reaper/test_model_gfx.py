"""The gfx window: recorded drawing, scripted mouse and keyboard, pictures."""

from pathlib import Path

import pytest

from tests.reaper.model import Reaper
from tests.reaper.model.gfx import menu_entries
from tests.reaper.model_kit import LUAS, failures_of, refuses, value_of

WINDOW = """
gfx.init('NRX: test', 320, 200, 0, 10, 10)
gfx.setfont(1, 'Arial', 20)
local label, seen = 'Start', ''
local function frame()
  local key = gfx.getchar()
  if key == -1 or key == 27 then reaper.ShowConsoleMsg('closed ' .. seen) gfx.quit() return end
  if key > 0 then seen = seen .. utf8.char(key) end
  if gfx.mouse_cap & 1 == 1 and gfx.mouse_x < 160 and gfx.mouse_y < 100 then label = 'Pressed' end
  gfx.set(0.2, 0.4, 0.8) gfx.rect(10, 10, 140, 60, 1)
  gfx.set(1, 1, 1, 1)
  gfx.x, gfx.y = 10, 10
  gfx.drawstr(label, 1 | 4, 150, 70)
  gfx.x, gfx.y = 10, 120
  gfx.drawstr('Gruß: ' .. gfx.w .. 'x' .. gfx.h)
  gfx.update()
  reaper.defer(frame)
end
frame()
"""


@pytest.fixture(params=LUAS)
def reaper(tmp_path: Path, request: pytest.FixtureRequest) -> Reaper:
    return Reaper(tmp_path, lua=request.param)


def test_window_shows_what_was_drawn_last(reaper: Reaper) -> None:
    reaper.run_lua(WINDOW)
    window = reaper.window
    assert (window.title, window.width, window.height, window.is_open) == ("NRX: test", 320, 200, True)
    assert window.texts()[0] == "Start"
    assert window.shows("Gruß: 320")
    x, y = window.place_of("Start")
    assert (x, y) == pytest.approx((80, 40), abs=1)


def test_clicks_and_keys_reach_the_script(reaper: Reaper) -> None:
    script = reaper.run_lua(WINDOW)
    window = reaper.window
    window.click_text("Start")
    window.type("aü")
    reaper.step(0.3)
    assert window.texts()[0] == "Pressed"
    window.press("escape")
    reaper.step(0.1)
    assert reaper.console == "closed aü"
    assert script.ended
    assert not window.is_open
    reaper.check()


def test_closing_the_window_is_told_by_getchar(reaper: Reaper) -> None:
    script = reaper.run_lua(WINDOW)
    reaper.window.close_by_user()
    reaper.step(0.1)
    assert reaper.console == "closed "
    assert script.ended
    with pytest.raises(AssertionError, match="no script has an open window"):
        _ = reaper.window


def test_text_that_is_not_there_cannot_be_clicked(reaper: Reaper) -> None:
    reaper.run_lua(WINDOW)
    with pytest.raises(AssertionError, match="no text 'Stop'"):
        reaper.window.click_text("Stop")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("gfx.drawtext('a')", "gfx.drawtext is not offered"),
        ("gfx.rect(1, 2, 3)", "takes 4 to 5 arguments and got 3"),
        ("gfx.rect(1, 2, 3, '4')", "argument 4 must be a number"),
        ("gfx.rect(1, 2, 3, 0/0)", "argument 4 must be a number"),
        ("gfx.drawstr(5)", "argument 1 must be a string"),
        ("gfx.mouse_x = 1", "no field that can be set"),
        ("gfx.colour = 1", "no field that can be set"),
        ("gfx.x = '1'", "must be a number"),
        ("gfx.setfont(17, 'Arial', 12)", "fonts 0 to 16"),
        ("gfx.setfont(3)", "font 3 was never set"),
    ],
)
def test_wrong_drawing_is_refused(tmp_path: Path, code: str, words: str) -> None:
    refuses(Reaper(tmp_path), code, words)


def test_text_is_as_wide_as_it_is_measured(reaper: Reaper) -> None:
    code = "gfx.setfont(1, 'Arial', 20) local w, h = gfx.measurestr('Remix') gfx.x = 5 gfx.drawstr('Remix')"
    assert failures_of(reaper, f"{code} assert(math.abs(gfx.x - 5 - w) < 1e-6 and h == gfx.texth)") == []
    assert float(value_of(reaper, "(gfx.measurestr('ii'))")) < float(
        value_of(reaper, "(gfx.measurestr('WW'))")
    )


def test_menus_number_what_can_be_chosen() -> None:
    assert menu_entries("A|!B||#C|>Sub|D|<E|F") == ["A", "B", "C", "D", "E", "F"]


def test_picture_has_the_colours_that_were_drawn(reaper: Reaper, tmp_path: Path) -> None:
    from PIL import Image

    reaper.run_lua(WINDOW)
    reaper.window.save_picture(tmp_path / "window.png", scale=2)
    with Image.open(tmp_path / "window.png") as picture:
        assert picture.size == (640, 400)
        assert picture.getpixel((30, 30)) == (51, 102, 204)
        assert picture.getpixel((600, 390)) == (0, 0, 0)
        white = sum(count for count, colour in picture.getcolors(1 << 20) or [] if min(colour) > 200)
        assert white > 100
