// The mixer: transport, comparing, the song's bars, chords and sections, and a strip with a waveform for each track.
//
// Keys: space plays, arrows move by a bar (Shift: by five seconds), Home goes to the start, 1/2/3 compare, L loops,
// [ and ] set the loop, + and - zoom; on a strip M and S mute and solo, up and down go to the next strip.

import { chordName } from "../chords.js";
import { fill, h, setStyle } from "../dom.js";
import { visible } from "../draw/colours.js";
import { drawBars, drawChords, drawSections } from "../draw/ruler.js";
import { drawWave, waveScale } from "../draw/waveform.js";
import { clock, decibels, lufs, panWords, signed } from "../format.js";
import { icon } from "../icons.js";
import { barAt, neighbourBar, spanAt } from "../player/bars.js";
import { FADER_MAX_DB, FADER_MIN_DB } from "../player/levels.js";
import { peakOf } from "../player/player.js";
import { View } from "../player/view.js";
import { token } from "../theme.js";
import { KINDS } from "../words.js";
import { segments } from "./fields.js";
import { tell } from "./toast.js";

const SIDE_NAMES = { original: "Original", mix: "Mix", master: "Master" };
const PEAK_COLUMNS = 3000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function mixer(app, deck, { keys = true } = {}) {
  const { player } = deck;
  let view = new View(player.durationS);
  let peaks = {};
  let frame = 0;

  // --- transport and comparing
  const playButton = h("button", { type: "button", class: "play", onClick: () => play() });
  const time = h("span", { class: "time" });
  const where = h("span", { class: "where", "aria-hidden": "true" });
  const loopButton = tool("loop", "Loop (L)", () => toggleLoop());
  const sides = segments({ label: "Hear", value: player.side, onChange: (side) => hear(side),
    options: deck.sides.map((side) => [side, SIDE_NAMES[side]]) });
  sides.element.hidden = deck.sides.length < 2;
  const matchBox = h("input", { type: "checkbox", checked: true, onChange: () => { deck.setMatched(matchBox.checked); showLevels(); } });
  const levels = h("p", { class: "hint levels", role: "status" });
  const compare = h("div", { class: "compare" }, sides.element,
    deck.sides.length > 1 && h("label", { class: "check" }, matchBox, h("span", {}, "Same loudness")), levels);

  // --- the song
  const overview = h("canvas", { class: "overview-wave", "aria-hidden": "true" });
  const window_ = h("div", { class: "overview-window" });
  const overviewHead = h("div", { class: "head-line" });
  const slider = h("div", { class: "overview", role: "slider", tabindex: 0, "aria-label": "Position in the song", "aria-valuemin": 0 }, overview, window_, overviewHead);
  const bars = h("canvas", { class: "bars", "aria-hidden": "true" });
  const chords = h("canvas", { class: "chords", "aria-hidden": "true" });
  const sections = h("canvas", { class: "sections", "aria-hidden": "true" });
  const rulerHead = h("div", { class: "head-line" });
  const loopMark = h("div", { class: "loop-mark" });
  const ruler = h("div", { class: "ruler-waves", data: { seek: "" } }, sections, bars, chords, loopMark, rulerHead);
  const strips = deck.strips.filter((track) => player.lanes.has(track.file)).map(strip);
  const reset = h("button", { type: "button", class: "text", hidden: true, onClick: resetDesk }, "Faders as they came");
  const element = h("section", { class: "mixer", "aria-label": "Mixer", onKeydown: stripKeys },
    h("div", { class: "transport" },
      h("div", { class: "transport-keys" }, tool("start", "To the start (Home)", () => player.seek(0)), playButton, loopButton), h("div", { class: "clock" }, time, where), compare),
    slider,
    h("div", { class: "song" },
      h("div", { class: "ruler" },
        h("div", { class: "ruler-tools" }, tool("minus", "Zoom out (−)", () => zoom(0.5)), tool("plus", "Zoom in (+)", () => zoom(2)), reset),
        ruler),
      strips.map((item) => item.element)));
  element.player = player;
  element.deck = deck;

  function tool(name, label, run) {
    return h("button", { type: "button", class: "tool", "aria-label": label, title: label, onMousedown: keepFocus, onClick: run }, icon(name));
  }

  function strip(track, at) {
    const lane = player.lanes.get(track.file);
    const stop = at === 0 ? 0 : -1;
    const meter = h("i");
    const mute = h("button", { type: "button", class: "mute", tabindex: stop, "aria-label": `Mute ${track.name}`, title: "Mute (M)", onMousedown: keepFocus, onClick: () => change({ muted: !lane.muted }) }, "M");
    const solo = h("button", { type: "button", class: "solo", tabindex: stop, "aria-label": `Solo ${track.name}`, title: "Solo (S)", onMousedown: keepFocus, onClick: () => change({ solo: !lane.solo }) }, "S");
    const gain = h("input", { type: "range", class: "fader", min: FADER_MIN_DB, max: FADER_MAX_DB, step: 0.5, tabindex: stop, "aria-label": `Volume of ${track.name}`, title: "Volume; double-click for how it came",
      onInput: () => change({ gainDb: Number(gain.value) }), onDblclick: () => change({ gainDb: track.gain_db }) });
    const pan = h("input", { type: "range", class: "pan", min: -1, max: 1, step: 0.05, tabindex: stop, "aria-label": `Pan of ${track.name}`, title: "Pan; double-click for the middle",
      onInput: () => change({ pan: Number(pan.value) }), onDblclick: () => change({ pan: track.pan ?? 0 }) });
    const shown = h("span", { class: "gain-words" });
    const canvas = h("canvas", { "aria-hidden": "true" });
    const line = h("div", { class: "head-line" });
    const isElsewhere = lane.timeline === "source";
    const head = h("div", { class: "strip-head", role: "group", tabindex: stop, "aria-label": `${track.name}, track ${at + 1} of ${deck.strips.length}` },
      h("div", { class: "strip-name" }, h("span", { title: track.name }, track.name), h("small", {}, isElsewhere ? "heard with Original" : KINDS[track.kind] ?? track.kind)),
      h("div", { class: "strip-keys" }, mute, solo),
      h("div", { class: "strip-gain" }, gain, shown), h("div", { class: "strip-pan" }, pan),
      h("div", { class: "meter", "aria-hidden": "true" }, meter));
    const row = h("div", { class: "strip", style: { "--track": track.colour }, data: { track: track.file } }, head, h("div", { class: "wave", data: { seek: "" } }, canvas, line));
    const controls = [head, mute, solo, gain, pan];

    async function change(values) {
      player.set(track.file, values);
      const wanted = isElsewhere ? "original" : "mix";
      if ((values.solo || values.muted === false) && player.side !== wanted) await hear(wanted);
    }
    function show() {
      mute.setAttribute("aria-pressed", String(lane.muted));
      solo.setAttribute("aria-pressed", String(lane.solo));
      row.classList.toggle("silent", !lane.audible);
      gain.value = lane.gainDb;
      pan.value = lane.pan;
      shown.textContent = decibels(lane.gainDb);
      gain.setAttribute("aria-valuetext", decibels(lane.gainDb));
      pan.setAttribute("aria-valuetext", panWords(lane.pan));
      setStyle(gain, { "--fill": `${((lane.gainDb - FADER_MIN_DB) / (FADER_MAX_DB - FADER_MIN_DB)) * 100}%` });
    }
    return {
      track, lane, element: row, head, change, show, line, meter, canvas,
      reach(on) { for (const control of controls) control.tabIndex = on ? 0 : -1; },
      get changed() { return lane.gainDb !== track.gain_db || lane.pan !== (track.pan ?? 0) || lane.muted !== track.muted || lane.solo; },
    };
  }

  // --- what is heard
  const play = () => player.toggle()?.catch?.(tell);
  async function hear(side) {
    const ready = await deck.hear(side);
    if (!ready) tell(new Error(`The original can't be played: ${deck.missing.get(side)}`));
    sides.set(player.side);
    if (view.duration !== player.durationS) view = new View(player.durationS);
    showAll();
  }
  function resetDesk() {
    for (const { track } of strips) player.set(track.file, { gainDb: track.gain_db, pan: track.pan ?? 0, muted: track.muted, solo: false });
  }
  function toggleLoop() {
    if (player.loop) return player.setLoop(null);
    const now = player.positionS;
    const part = spanAt(deck.music.sections, now);
    return player.setLoop(part ? { start: part.start_s, end: Math.min(part.end_s, player.durationS) } : { start: now, end: Math.min(now + 8, player.durationS) });
  }
  function zoom(factor) {
    view.zoomBy(factor, view.length < view.duration || factor > 1 ? player.positionS : undefined);
    draw();
  }

  // --- showing
  function showState() {
    fill(playButton, icon(player.playing ? "pause" : "play", 22));
    playButton.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    playButton.title = player.playing ? "Pause (space)" : "Play (space)";
    element.dataset.state = player.state;
    loopButton.setAttribute("aria-pressed", String(Boolean(player.loop)));
    showPosition();
    tick();
  }
  function showLevels() {
    const level = deck.match.levels[player.side];
    const off = deck.isMatched ? deck.match.gains[player.side] ?? 0 : 0;
    levels.textContent = level === null || level === undefined ? "loudness not known" : `${lufs(level)}${off < -0.05 ? `, played ${signed(off)} dB` : ""}`;
  }
  function showGains() {
    for (const item of strips) item.show();
    reset.hidden = !strips.some((item) => item.changed);
    showLevels();
  }
  function showPosition() {
    const now = player.positionS;
    const { downbeats, chords: named, sections: parts } = deck.music;
    if (player.playing && view.follow(now)) draw();
    time.textContent = `${clock(now, true)} / ${clock(player.durationS)}`;
    const words = [barAt(downbeats, now) > 0 && `bar ${barAt(downbeats, now)}`, chordName(spanAt(named, now)?.label ?? ""), spanAt(parts, now)?.label].filter(Boolean);
    where.textContent = words.join(" · ");
    slider.setAttribute("aria-valuemax", player.durationS.toFixed(1));
    slider.setAttribute("aria-valuenow", now.toFixed(1));
    slider.setAttribute("aria-valuetext", [clock(now), ...words].join(", "));
    const across = view.at(now);
    for (const line of [rulerHead, ...strips.map((item) => item.line)]) {
      line.hidden = across < 0 || across > 1;
      line.style.setProperty("left", `${across * 100}%`);
    }
    overviewHead.style.setProperty("left", `${(now / view.duration) * 100}%`);
  }
  function tick() {
    cancelAnimationFrame(frame);
    if (!element.isConnected && frame) return;
    showPosition();
    if (!calm.matches) for (const item of strips) setStyle(item.meter, { transform: `scaleX(${player.playing && item.lane.audible && heard(item) ? meterScale(peakOf(item.lane.meter)) : 0})` });
    if (player.playing) frame = requestAnimationFrame(tick);
  }
  const heard = (item) => player.side === item.lane.side;
  const meterScale = (peak) => Math.min(1, Math.max(0, 1 + (20 * Math.log10(Math.max(peak, 1e-6))) / 54)).toFixed(3);

  function draw() {
    const colours = { text: token("--text"), line: token("--line-strong"), accent: token("--accent"), dark: getComputedStyle(element).colorScheme === "dark" };
    const ground = token("--surface");
    const { downbeats, chords: named, sections: parts } = deck.music;
    ruler.classList.toggle("no-chords", !named.length);
    ruler.classList.toggle("no-sections", !parts.length);
    drawSections(sections, parts, view, colours);
    drawBars(bars, downbeats, view, colours);
    drawChords(chords, named, view, colours);
    for (const { track, lane, canvas, element: row } of strips) {
      const colour = visible(track.colour, ground, colours.text);
      setStyle(row, { "--track": colour });
      drawWave(canvas, peaks[track.file], lane.source.frames / player.rate, view, colour, waveScale(peaks[track.file]));
    }
    const whole = deck.masterFile ?? deck.mixFile ?? deck.strips[0];
    if (whole) drawWave(overview, peaks[whole.file], player.durationS, new View(player.durationS), token("--faint"), waveScale(peaks[whole.file]));
    setStyle(window_, { left: `${(view.start / view.duration) * 100}%`, width: `${(view.length / view.duration) * 100}%` });
    window_.hidden = view.zoom < 1.01;
    loopMark.hidden = !player.loop;
    if (player.loop) {
      const from = Math.max(0, view.at(player.loop.start));
      setStyle(loopMark, { left: `${from * 100}%`, width: `${Math.max(0, Math.min(1, view.at(player.loop.end)) - from) * 100}%` });
    }
    showPosition();
  }
  function showAll() {
    showState();
    showGains();
    draw();
  }

  // --- pointer: click seeks, Shift-drag sets the loop
  for (const area of [ruler, ...strips.map((item) => item.element.querySelector(".wave"))]) pointer(area, (x) => view.seconds(x), true);
  pointer(slider, (x) => x * view.duration, false);

  function pointer(area, toSeconds, loops) {
    area.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      const at = (event) => {
        const box = area.getBoundingClientRect();
        return Math.min(player.durationS, Math.max(0, toSeconds((event.clientX - box.left) / box.width)));
      };
      const from = at(down);
      const makesLoop = loops && down.shiftKey;
      if (!makesLoop) player.seek(from);
      area.setPointerCapture(down.pointerId);
      const move = (event) => {
        if (makesLoop) {
          const to = at(event);
          if (Math.abs(to - from) > 0.1) player.setLoop({ start: Math.min(from, to), end: Math.max(from, to) });
        } else if (!player.playing) player.seek(at(event));
        draw();
      };
      const up = () => {
        area.removeEventListener("pointermove", move);
        showState();
      };
      area.addEventListener("pointermove", move);
      area.addEventListener("pointerup", up, { once: true });
      area.addEventListener("pointercancel", up, { once: true });
      showState();
    });
    area.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      const box = area.getBoundingClientRect();
      if (event.ctrlKey) view.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, toSeconds((event.clientX - box.left) / box.width));
      else view.scrollTo(view.start + ((event.deltaY || event.deltaX) / 800) * view.length);
      draw();
    }, { passive: false });
  }

  // --- keys
  const step = (bar) => player.seek(neighbourBar(deck.music.downbeats, player.positionS, bar, player.durationS));
  const setLoopEnd = (which) => {
    const now = player.positionS;
    const loop = player.loop ?? { start: 0, end: player.durationS };
    const next = { ...loop, [which]: now };
    if (next.end > next.start) player.setLoop(next);
  };
  const KEYS = {
    " ": () => play(), ArrowLeft: (e) => (e.shiftKey ? player.seek(player.positionS - 5) : step(-1)),
    ArrowRight: (e) => (e.shiftKey ? player.seek(player.positionS + 5) : step(1)),
    Home: () => player.seek(0), End: () => player.seek(player.durationS), l: toggleLoop, "[": () => setLoopEnd("start"), "]": () => setLoopEnd("end"),
    "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5),
    1: () => hearAt(0), 2: () => hearAt(1), 3: () => hearAt(2),
  };
  const hearAt = (index) => deck.sides[index] && hear(deck.sides[index]);
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (target.closest?.("dialog, input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select")) return;
    if (event.key === " " && target.closest?.("button, a, input, summary")) return;
    if (event.key.startsWith("Arrow") && target.closest?.("input")) return;
    const run = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run(event);
    draw();
  }
  function stripKeys(event) {
    const at = strips.findIndex((item) => item.head === event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = strips[at];
    const to = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
    if (to !== undefined && strips[to]) {
      item.reach(false);
      strips[to].reach(true);
      strips[to].head.focus();
    } else if (event.key === "m") item.change({ muted: !item.lane.muted });
    else if (event.key === "s") item.change({ solo: !item.lane.solo });
    else return;
    event.preventDefault();
  }
  element.addEventListener("focusin", (event) => {
    const row = event.target.closest(".strip");
    if (row) for (const item of strips) item.reach(item.element === row);
  });

  player.addEventListener("state", showState);
  player.addEventListener("gains", showGains);
  player.addEventListener("error", ({ detail }) => tell(detail, "Playing stopped"));
  if (keys) document.addEventListener("keydown", onKey);
  document.addEventListener("nrx-theme", draw);
  const sized = new ResizeObserver(() => draw());
  sized.observe(element);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  element.dataset.peaks = "reading";
  app.api.peaks(deck.id, PEAK_COLUMNS).then((found) => {
    peaks = found.tracks;
    element.dataset.peaks = "shown";
    draw();
  }, (error) => tell(error));
  showAll();

  return {
    element,
    play,
    close() {
      cancelAnimationFrame(frame);
      sized.disconnect();
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("nrx-theme", draw);
      dark.removeEventListener("change", draw);
      deck.close();
    },
  };
}

/** Clicking with a pointer leaves the focus where it is, so that the space bar goes on to mean "play". */
const keepFocus = (event) => event.preventDefault();
