"""The device as files: the container, the patcher, and the script that it holds."""

import ast
import importlib.util
import itertools
import json
import re
import site
from pathlib import Path
from typing import Any

import pytest

from bridge.install.amxd import DEVICE_NAME, Device, Embedded, build, pack, unpack

HOUSE = Path(__file__).parents[2]
FOLDER = HOUSE / "ableton_m4l"
DEVICE = FOLDER / f"{DEVICE_NAME}.amxd"
SCRIPT = (FOLDER / "nrx.js").read_text(encoding="utf-8")
PATCHER: dict[str, Any] = json.loads((FOLDER / f"{DEVICE_NAME}.maxpat").read_bytes())["patcher"]
BOXES: dict[str, dict[str, Any]] = {entry["box"]["id"]: entry["box"] for entry in PATCHER["boxes"]}
CORDS = [(*line["patchline"]["source"], *line["patchline"]["destination"]) for line in PATCHER["lines"]]
PARAMETERS = [box for box in BOXES.values() if box.get("parameter_enable")]
SHOWN = [box for box in BOXES.values() if box.get("presentation")]
WIDTH, HEIGHT = PATCHER["devicewidth"], 169

LETS = {
    "live.text": (1, 2), "live.menu": (1, 3), "live.dial": (1, 2), "live.numbox": (1, 2), "live.comment": (1, 0),
    "message": (2, 1), "live.thisdevice": (1, 3), "udpreceive": (1, 1), "udpsend": (1, 0), "plugin~": (2, 2),
    "plugout~": (2, 2), "deferlow": (1, 1), "prepend": (1, 1), "pattr": (1, 3), "js": (1, 5), "sfrecord~": (2, 1),
    "route": (1, 9), "t": (1, 2), "dspstate~": (1, 4),
}  # fmt: skip
"""Inlets and outlets by class, as Ableton's maxdevtools has them."""


def kind(box: dict[str, Any]) -> str:
    return str(box["text"]).split(" ", 1)[0] if box["maxclass"] == "newobj" else str(box["maxclass"])


def box_of(words: str) -> str:
    return next(number for number, box in BOXES.items() if box.get("text") == words)


def test_committed_device_is_what_the_sources_build() -> None:
    assert DEVICE.read_bytes() == build(FOLDER)


def test_unpacking_and_packing_gives_the_same_bytes() -> None:
    data = DEVICE.read_bytes()
    assert pack(unpack(data)) == data
    plain = pack(Device(b"mmmm", patch=b'{"patcher": {}}\n\0', meta=1))
    assert pack(unpack(plain)) == plain
    odd = pack(
        Device(b"iiii", (Embedded("ä.amxd", b"JSON", b"{}\0", 0x11, 7), Embedded("abc", b"PNG ", b"", 8, 9)))
    )
    assert pack(unpack(odd)) == odd


def test_container_has_the_layout_that_max_writes() -> None:
    data = DEVICE.read_bytes()
    assert data[:24] == b"ampf\4\0\0\0aaaameta\4\0\0\0\7\0\0\0"
    assert data[24:28] == b"ptch"
    assert int.from_bytes(data[28:32], "little") == len(data) - 32
    assert data[32:44] == b"mx@c\0\0\0\x10\0\0\0\0"
    files = unpack(data).files
    assert [(file.name, file.kind, file.flag) for file in files] == [
        ("NRX Bridge.amxd", b"JSON", 0x11),
        ("nrx.js", b"TEXT", 0),
    ]
    assert files[1].data.decode() == SCRIPT
    assert json.loads(files[0].data[:-1])["patcher"] == PATCHER


@pytest.mark.parametrize("data", [b"", b"ampf" * 20, DEVICE.read_bytes()[:-1]])
def test_broken_devices_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="device"):
        unpack(data)


def test_cords_join_inlets_and_outlets_that_exist() -> None:
    assert len(BOXES) == len(PATCHER["boxes"])
    for source, outlet, target, inlet in CORDS:
        assert outlet < BOXES[source]["numoutlets"]
        assert inlet < BOXES[target]["numinlets"]
    for box in BOXES.values():
        assert (box["numinlets"], box["numoutlets"]) == LETS[kind(box)], box
        assert len(box.get("outlettype", [])) == box["numoutlets"]
        assert box["maxclass"] in {"newobj", "message"} or box["maxclass"].startswith("live.")


def test_audio_passes_through_untouched() -> None:
    source, target = box_of("plugin~"), box_of("plugout~")
    assert {(source, 0, target, 0), (source, 1, target, 1)} <= set(CORDS)
    assert [cord for cord in CORDS if cord[2] == target and cord[0] != source] == []


def test_script_says_as_many_outlets_as_its_box_has() -> None:
    js = BOXES[box_of("js nrx.js")]
    assert re.search(r"^outlets = (\d+);", SCRIPT, re.M).group(1) == str(js["numoutlets"])  # type: ignore[union-attr]
    assert [entry["name"] for entry in PATCHER["dependency_cache"]] == ["nrx.js"]


def test_every_message_into_the_script_has_a_function() -> None:
    js = box_of("js nrx.js")
    callable_ones = set(re.findall(r"^function (\w+)\(", SCRIPT, re.M)) - set(
        re.findall(r"^(\w+)\.local = 1;", SCRIPT, re.M)
    )
    words = set()
    for source, _, target, _ in CORDS:
        if target == js and kind(BOXES[source]) in {"prepend", "message"}:
            words.add(str(BOXES[source]["text"]).removeprefix("prepend "))
    assert words <= callable_ones
    assert {"remix", "separate", "variation", "sync", "master", "cancel", "land", "state", "style"} <= words


def test_every_word_to_the_face_is_routed() -> None:
    routed = set(str(BOXES[next(n for n, b in BOXES.items() if kind(b) == "route")]["text"]).split()[1:])
    assert set(re.findall(r'face\("(\w+)"', SCRIPT)) == routed


def test_parameters_are_named_once_and_registered() -> None:
    values = {box["id"]: box["saved_attribute_attributes"]["valueof"] for box in PARAMETERS}
    names = [value["parameter_longname"] for value in values.values()]
    assert len(set(names)) == len(names)
    registered = {key: entry[0] for key, entry in PATCHER["parameters"].items() if key != "parameterbanks"}
    assert registered == {key: value["parameter_longname"] for key, value in values.items()}
    for box in PARAMETERS:
        assert box["varname"] == values[box["id"]]["parameter_longname"]
    banked = PATCHER["parameters"]["parameterbanks"]["0"]["parameters"]
    assert set(banked) - {"-"} <= set(names)


def test_only_musical_parameters_can_be_automated() -> None:
    free = {
        box["varname"]
        for box in PARAMETERS
        if box["saved_attribute_attributes"]["valueof"]["parameter_invisible"] == 0
    }
    assert free == {"NRX Style", "NRX Energy", "NRX Brightness"}
    for box in PARAMETERS:
        if box["maxclass"] == "live.text" and box["mode"] == 0:
            assert box["saved_attribute_attributes"]["valueof"]["parameter_invisible"] == 2


def test_face_fits_and_nothing_overlaps() -> None:
    for box in SHOWN:
        x, y, w, h = box["presentation_rect"]
        assert x >= 0
        assert y >= 0
        assert x + w <= WIDTH
        assert y + h <= HEIGHT
    for one, other in itertools.combinations(SHOWN, 2):
        (ax, ay, aw, ah), (bx, by, bw, bh) = one["presentation_rect"], other["presentation_rect"]
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay, (one, other)


def test_style_menu_ships_with_the_styles_there_are() -> None:
    from engine.presets import list_styles, load_style

    menu = next(box for box in PARAMETERS if box["varname"] == "NRX Style")
    told = menu["saved_attribute_attributes"]["valueof"]["parameter_enum"]
    assert told == [load_style(name).name for name in list_styles()]


def test_script_is_es5() -> None:
    esprima = pytest.importorskip("esprima")
    tokens = esprima.tokenize(SCRIPT)
    esprima.parseScript(SCRIPT)
    newer = {"let", "const", "class", "=>", "async", "await", "import", "export", "yield", "of", "**", "..."}
    assert not [token.value for token in tokens if token.type != "String" and token.value in newer]
    assert not [token for token in tokens if token.type == "Template"]
    assert not re.search(r"\.(includes|startsWith|endsWith|padStart|flat|entries|assign)\(", SCRIPT)


def test_script_calls_nothing_that_crashes_live() -> None:
    assert not re.search(r"\b(outlet|messnamed)\s*\.\s*(apply|call)\b", SCRIPT)
    assert not re.search(r"\b(let|setTimeout|require|console|window)\s*[.(]", SCRIPT)
    assert "begin_undo_step" not in SCRIPT


def test_settings_are_told_again_before_the_device_is_ready() -> None:
    """What Live restored is asked for when the device is loaded, and the script is banged after that."""
    first, last = box_of("t b b"), box_of("deferlow")
    assert (box_of("live.thisdevice"), 0, first, 0) in CORDS
    assert (first, 0, last, 0) in CORDS
    again = {target for source, _, target, _ in CORDS if source == box_of("outputvalue")}
    settings = {
        box["id"]
        for box in PARAMETERS
        if box["saved_attribute_attributes"]["valueof"]["parameter_invisible"] < 2
        and box["maxclass"] != "newobj"
    }
    assert again == settings
    assert {(first, 1, box_of("outputvalue"), 0), (first, 1, box_of("pattr nrx_state"), 0)} <= set(CORDS)


CLASSES = {
    "Application.View": ("Application", "View"),
    "Song.View": ("Song", "View"),
    "CuePoint": ("Song", "CuePoint"),
}
"""Classes that the stubs define inside another one's module."""


def stub_names(stubs: Path, owner: str) -> set[str]:
    """Return what a class of the published stubs has, with what it inherits."""
    module, name = CLASSES.get(owner, (owner, owner))
    tree = ast.parse((stubs / f"{module}.pyi").read_text(encoding="utf-8"))
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found: set[str] = set()
    for node in ast.walk(classes[name]) if name != module else classes[name].body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
    for base in classes[name].bases:
        if isinstance(base, ast.Name) and (stubs / f"{base.id}.pyi").is_file() and base.id != name:
            found |= stub_names(stubs, base.id)
    return found


def test_names_of_live_are_those_of_the_published_stubs() -> None:
    found = [Path(path) / "Live-stubs" for path in site.getsitepackages()]
    stubs = next((path for path in found if path.is_dir()), None)
    if stubs is None:
        pytest.skip("ableton-live-stubs is not installed")
    table = json.loads((Path(__file__).parent / "model" / "lom.json").read_bytes())
    for owner, rows in table.items():
        known = stub_names(stubs, owner)
        missing = {name for names in rows.values() for name in names} - known
        assert not missing, owner


def test_model_knows_all_that_the_script_reads_and_writes() -> None:
    table = json.loads((Path(__file__).parent / "model" / "lom.json").read_bytes())
    known = {
        how: {name for rows in table.values() for name in rows.get(how, {})} for how in ("get", "set", "call")
    }
    read = set(
        re.findall(r"(?:number_of|string_of|ids_of|list_of)\((?:[^()]|\([^()]*\))*, \"(\w+)\"\)", SCRIPT)
    )
    assert read <= known["get"]
    assert set(re.findall(r"\.set\(\"(\w+)\"", SCRIPT)) <= known["set"]
    assert set(re.findall(r"\.call\(\"(\w+)\"", SCRIPT)) <= known["call"]
    assert len(read) > 25


def face_module() -> Any:
    spec = importlib.util.spec_from_file_location("draw_face", FOLDER / "draw_face.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sentences_fit_their_places_on_the_face() -> None:
    face = face_module()
    places = face.places(PATCHER)
    said = {
        "used": re.findall(r"(?:clips|selected|record): \"([^\"]+)\"", SCRIPT),
        "error": [*re.findall(r"fail\(\"([^\"]{20,})\"\)", SCRIPT), "An error of a job " * 10],
        "stage": [*re.findall(r"face\(\"stage\", \"([^\"]+)\"\)", SCRIPT), "Landed on 12 tracks"],
        "left": ["12 min 55 s left"],
    }
    for word, sentences in said.items():
        assert sentences
        _, _, width, height = BOXES[places[word]]["presentation_rect"]
        for sentence in sentences:
            lines = face.lines_of(sentence, 0.92 * width)  # Live's own font is a little wider
            assert len(lines) * face.LINE_PX <= height, sentence


def test_picture_in_the_documentation_is_drawn_from_this_patcher() -> None:
    from PIL import Image, ImageChops

    drawn = face_module().draw(PATCHER)
    with Image.open(HOUSE / "docs" / "pictures" / "ableton_face.png") as kept:
        assert kept.size == drawn.size
        share = ImageChops.difference(kept.convert("L"), drawn.convert("L")).point(lambda v: 255 * (v > 40))
    assert share.histogram()[255] < 0.02 * drawn.width * drawn.height
