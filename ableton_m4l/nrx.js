/*
 * NRX Bridge for Ableton Live: all that the Max for Live device does.
 *
 * ES5 for Max's js object (Live 11 to 12.4), and as valid in the engines that follow it. Talks OSC with the local
 * daemon: types i f s only, paths and short strings; whatever is long is a file. Reads the track's clips from Live,
 * writes a request file into the daemon's spool, follows the job, and lays its stems on new tracks.
 *
 * Habits: LiveAPI never throws, so every write is read back. Nothing of Live is touched before live.thisdevice has
 * banged. Functions with `.local` cannot be called by a message; all others are messages of the patcher.
 * Units: positions in beats (quarter notes) unless a name says _s or _ms.
 */
autowatch = 0;
inlets = 1;
outlets = 5;

var TO_OSC = 0, TO_PORT = 1, TO_FACE = 2, TO_RECORDER = 3, TO_STORE = 4;

var DEVICE_VERSION = "0.1.0";
var PROTOCOL = 1;
var FIRST_DAEMON_PORT = 39100, DAEMON_PORTS = 10;
var FIRST_REPLY_PORT = 39200, REPLY_PORTS = 100;
var HELLO_MS = 250, ALIVE_MS = 4000, DEAF_MS = 9000, RESEND_MS = 1000, RESENDS = 5;
var LAND_STEP_MS = 30, RECORDING_MS = 1000, RECORD_POLL_MS = 50, RECORD_START_MS = 2000, RECORD_CLOSE_MS = 300;
var CUE_TRIES = 40;
var SLICE = 8192;
var MOST_JOBS = 8, MOST_SHOWN = 180;
var BAD_BEAT = 1576800;

var SOURCES = ["clips", "selected", "record"];
var SOURCE_SAYS = {
    clips: "This track's clips, from their files: without effects and automation; fades as last saved.",
    selected: "The selected clip, from its file: without effects and automation; fades as last saved.",
    record: "What reaches this device, recorded in real time: without effects after it."
};
/* The styles that NRX Bridge comes with, in the menu's order: what was automated stays what it was. */
var OWN_STYLES = ["acoustic", "edm", "jazz", "lofi_chill", "neo_soul", "orchestral", "rock", "synthwave"];
var COMPLEX = 4;
var STAGE_SAYS = {
    rebuild: "Rebuilding", separate: "Separating", analyze: "Listening", generate: "Playing", sync: "Fitting", mix: "Mixing",
    master: "Mastering", publish: "Writing", read: "Reading"
};
var KINDS_LANDED = { separated: 1, fitted: 1, generated: 1, mix: 1, master: 1 };

var settings = {
    style: 0, energy: 1, brightness: 1, tempo: 0, keep: 1, source: 0, place: 0, warp: 0, locators: 0, midi: 0
};
var styles = [];
var heard = [];
var instance = "";
var ready = 0;
var sample_rate = 0;
var live_set = null;
var link = { up: 0, fits: 1, port: 0, reply: 0, tries: 0, heard_ms: 0, asked_ms: 0, spool: "", version: "" };
var jobs = [];
var seed = 0;
var current = null;
var landing = null;
var to_land = [];
var take = null;
var shown = {};

/* ---- life ---- */

function bang() {
    ready = 1;
    instance = "i" + now().toString(36) + Math.floor(Math.random() * 1e6).toString(36);
    link.reply = FIRST_REPLY_PORT + Math.floor(Math.random() * REPLY_PORTS);
    link.tries = 0;
    link.up = 0;
    live_set = null;
    face("light", 0);
    face("stage", "Looking for NRX Bridge");
    outlet(TO_PORT, ["port", link.reply]);
    if (!version_fits(live_version())) {
        fail("Live " + live_version().join(".") + " cannot be given clips by a device; stems come in a folder to drag from.");
    }
    keep_in_touch();
    touch.interval = HELLO_MS;
    touch.repeat();
}

function notifydeleted() {
    touch.cancel();
    resend.cancel();
    lander.cancel();
    recorder.cancel();
}

/* ---- the link to the daemon ---- */

function keep_in_touch() {
    var at = now();
    if (link.up && at - link.heard_ms > DEAF_MS) {
        link.up = 0;
        link.tries = 0;
        face("light", 0);
        fail("NRX Bridge does not answer any more; it is started with: nrx serve");
    }
    if (link.up) {
        if (at - link.asked_ms >= ALIVE_MS) {
            hello(link.port);
            ask_after_jobs();
        }
        return;
    }
    if (link.tries > 0 && link.tries % DAEMON_PORTS === 0) {
        if (is_power_of_two(link.tries / DAEMON_PORTS)) {
            link.reply = FIRST_REPLY_PORT + (link.reply - FIRST_REPLY_PORT + 1) % REPLY_PORTS;
            outlet(TO_PORT, ["port", link.reply]);
        }
        if (link.tries === DAEMON_PORTS) {
            fail("NRX Bridge is not running; start it with: nrx serve");
        }
    }
    hello(FIRST_DAEMON_PORT + link.tries % DAEMON_PORTS);
    link.tries += 1;
}
keep_in_touch.local = 1;

/* A reply port may be taken, or the daemon absent: another is tried after 1, 2, 4, 8 rounds, as Max may keep old ones. */
function is_power_of_two(rounds) { return (rounds & (rounds - 1)) === 0; }
is_power_of_two.local = 1;

function hello(port) {
    link.asked_ms = now();
    if (link.port !== port) {
        link.port = port;
        outlet(TO_OSC, ["port", port]);
    }
    outlet(TO_OSC, ["/nrx/hello", "live", DEVICE_VERSION, link.reply, instance + "." + port]);
}
hello.local = 1;

function welcome(version, protocol, http, spool, echo) {
    var parts = ("" + echo).split("."), was_up = link.up;
    if (parts[0] !== instance) {
        return;
    }
    link.heard_ms = now();
    link.tries = 0;
    link.spool = ("" + spool).replace(/\\/g, "/");
    link.version = "" + version;
    if (link.port !== parseInt(parts[1], 10)) {
        link.port = parseInt(parts[1], 10);
        outlet(TO_OSC, ["port", link.port]);
    }
    if (was_up) {
        return;
    }
    link.up = 1;
    face("light", 1);
    link.fits = parseInt(protocol, 10) === PROTOCOL;
    if (!link.fits) {
        fail("NRX Bridge " + version + " speaks protocol " + protocol + " and this device " + PROTOCOL + "; update the older.");
    } else if (family(link.version) !== family(DEVICE_VERSION)) {
        fail("NRX Bridge is " + version + ", this device " + DEVICE_VERSION + "; run: nrx install ableton");
    } else {
        fail("");
    }
    face("stage", "Ready");
    heard = [];
    outlet(TO_OSC, ["/nrx/styles"]);
    ask_after_jobs();
    if (current && current.state === "sent") {
        announce();
    }
}
welcome.local = 1;

/* Datagrams may be lost, the one that tells of a job's end too: jobs are asked after while they are open. */
function ask_after_jobs() {
    var i;
    for (i = 0; i < jobs.length; i += 1) {
        if (jobs[i].state === "open") {
            outlet(TO_OSC, ["/nrx/status", jobs[i].id]);
        }
    }
}
ask_after_jobs.local = 1;

function family(version) {
    return ("" + version).split(".").slice(0, 2).join(".");
}
family.local = 1;

function anything() {
    var a = arrayfromargs(arguments);
    switch (messagename) {
    case "/nrx/welcome":
        welcome(a[0], a[1], a[2], a[3], a[4]);
        break;
    case "/nrx/style":
        style_heard(parseInt(a[0], 10), parseInt(a[1], 10), "" + a[2], "" + a[3]);
        break;
    case "/nrx/received":
        mark("" + a[0], "received");
        break;
    case "/nrx/accepted":
        accepted("" + a[0]);
        break;
    case "/nrx/progress":
        progress("" + a[0], "" + a[1], "" + a[2], parseFloat(a[3]), parseFloat(a[4]));
        break;
    case "/nrx/done":
        done("" + a[0], a.length > 1 ? "" + a[1] : "");
        break;
    case "/nrx/error":
        refused("" + a[0], "" + a[1], "" + a[2]);
        break;
    default:
        post("nrx: a message that is not known: " + messagename + "\n");
    }
}

function style_heard(index, count, id, name) {
    var names = [], own = [], more = [], i, at;
    link.heard_ms = now();
    heard[index] = { id: id, name: name };
    for (i = 0; i < count; i += 1) {
        if (!heard[i]) {
            return;
        }
    }
    for (i = 0; i < count; i += 1) {
        at = OWN_STYLES.indexOf(heard[i].id);
        if (at >= 0) {
            own[at] = heard[i];
        } else {
            more.push(heard[i]);
        }
    }
    styles = [];
    for (i = 0; i < own.length; i += 1) {
        if (own[i]) {
            styles.push(own[i]);
        }
    }
    styles = styles.concat(more);
    for (i = 0; i < styles.length; i += 1) {
        names.push(styles[i].name);
    }
    face("styles", names);
    face("style", Math.min(settings.style, count - 1));
}
style_heard.local = 1;

/* ---- the face ---- */

function style(v) { settings.style = v; }
function energy(v) { settings.energy = v; }
function brightness(v) { settings.brightness = v; }
function tempo(v) { settings.tempo = v; }
function keep(v) { settings.keep = v; }
function place(v) { settings.place = v; }
function warp(v) { settings.warp = v; }
function locators(v) { settings.locators = v; }
function midi(v) { settings.midi = v; }
function rate(v) { sample_rate = v; }
function source(v) {
    settings.source = v;
    face("used", SOURCE_SAYS[SOURCES[v]]);
}

function remix() { begin("remix", 0); }
function separate() { begin("separate", 0); }
function variation() { begin("remix", 1); }
function sync() { begin("sync", 0); }
function master() { begin("master", 0); }

function cancel() {
    if (take) {
        stop_take();
        take = null;
        face("stage", "Ready");
        return;
    }
    if (current && (current.state === "sent" || current.state === "open")) {
        outlet(TO_OSC, ["/nrx/cancel", current.id]);
        face("stage", "Cancelling");
    }
}

function face(name, value) {
    var text = value instanceof Array ? value.join("\n") : "" + value;
    if (shown[name] === text) {
        return;
    }
    shown[name] = text;
    outlet(TO_FACE, value instanceof Array ? [name].concat(value) : [name, value]);
}
face.local = 1;

function fail(sentence) {
    face("error", sentence === "" ? " " : sentence.length > MOST_SHOWN ? sentence.slice(0, MOST_SHOWN) + " ..." : sentence);
    if (sentence !== "") {
        post("NRX Bridge: " + sentence + "\n");
    }
}
fail.local = 1;

/* ---- asking for a job ---- */

function begin(action, is_variation) {
    var kind = SOURCES[settings.source], asked;
    if (!ready) {
        return;
    }
    if (!link.up) {
        fail("NRX Bridge is not running; start it with: nrx serve");
        return;
    }
    if (!link.fits) {
        fail("NRX Bridge " + link.version + " and this device part; run: nrx install ableton, and drag it in anew.");
        return;
    }
    if (take || (current && (current.state === "sent" || current.state === "open"))) {
        fail("A job is running; press Cancel to end it.");
        return;
    }
    if (action === "remix" && !styles[settings.style]) {
        fail("The styles have not come yet; try again in a second.");
        return;
    }
    if (is_variation) {
        seed += 1;
    }
    fail("");
    face("used", SOURCE_SAYS[kind]);
    asked = { action: action, kind: kind };
    if (kind === "record") {
        start_take(asked);
        return;
    }
    asked.project = kind === "clips" ? clips_of_track() : selected_clip();
    if (asked.project) {
        submit(asked);
    }
}
begin.local = 1;

function new_id() {
    return "live-" + now().toString(36) + "-" + Math.floor(Math.random() * 1679616).toString(36);
}
new_id.local = 1;

function submit(asked) {
    var project = asked.project, request, id = asked.id || new_id(), path, set_path;
    request = { protocol: PROTOCOL, client: "live", action: asked.action, inputs: project.inputs, project: project.track };
    if (asked.action === "remix") {
        request.style = styles[settings.style].id;
        request.energy = round(settings.energy);
        request.brightness = round(settings.brightness);
        request.tempo = settings.tempo === 1 ? "style" : "project";
        request.keep = settings.keep ? ["vocals"] : [];
        request.seed = seed;
    }
    set_path = has_set_path() ? string_of(song(), "file_path") : "";
    if (set_path !== "") {
        request.project.live_set = request.inputs.length;
        request.inputs = request.inputs.concat([{ path: set_path }]);
    }
    path = link.spool + "/new/" + id + ".json";
    if (!write_text(path, ascii(request))) {
        fail("The request could not be written to " + link.spool + "/new");
        return;
    }
    current = {
        id: id, state: "sent", path: path, beat: project.track.start_beat, action: asked.action, sends: 0, received: 0
    };
    remember(current);
    face("percent", 0);
    face("left", " ");
    face("stage", "Sending");
    announce();
}
submit.local = 1;

function announce() {
    outlet(TO_OSC, ["/nrx/submit", current.path]);
    current.sends += 1;
    resend.schedule(RESEND_MS);
}
announce.local = 1;

function announce_again() {
    if (!current || current.state !== "sent") {
        return;
    }
    if (current.received) {
        return;
    }
    if (current.sends < RESENDS) {
        announce();
    } else {
        current.state = "ended";
        fail("NRX Bridge did not answer; see that it runs, and press the button again.");
        face("stage", "Ready");
    }
}
announce_again.local = 1;

function job_of(id) {
    var i;
    for (i = 0; i < jobs.length; i += 1) {
        if (jobs[i].id === id) {
            return jobs[i];
        }
    }
    return null;
}
job_of.local = 1;

function mark(id) {
    var job = job_of(id);
    link.heard_ms = now();
    if (job) {
        job.received = 1;
    }
}
mark.local = 1;

function accepted(id) {
    var job = job_of(id);
    mark(id);
    if (job && job.state === "sent") {
        job.state = "open";
        face("stage", "Queued");
        store();
    }
}
accepted.local = 1;

function progress(id, state, stage, fraction, left_s) {
    var job = job_of(id);
    mark(id);
    if (!job || (job.state !== "open" && job.state !== "sent")) {
        return;
    }
    job.state = "open";
    current = job;
    face("stage", state === "queued" ? "Queued" : (STAGE_SAYS[stage] || stage || "Starting"));
    face("percent", Math.floor(100 * fraction));
    face("left", time_left(left_s));
}
progress.local = 1;

function time_left(left_s) {
    var whole;
    if (!(left_s >= 0)) {
        return " ";
    }
    whole = left_s < 20 ? Math.ceil(left_s) : 5 * Math.ceil(left_s / 5);
    return (whole < 60 ? "" : Math.floor(whole / 60) + " min ") + whole % 60 + " s left";
}
time_left.local = 1;

function refused(id, code, sentence) {
    var job = job_of(id);
    link.heard_ms = now();
    if (job) {
        if (code === "request.too_many" && job.state === "sent") {
            job.received = 0;
            job.sends = 0;
            resend.schedule(RESEND_MS);
            return;
        }
        job.received = 1;
        job.state = "ended";
        store();
    }
    if (!job || job === current) {
        face("stage", code === "cancelled" ? "Cancelled" : "Ready");
        face("percent", 0);
        face("left", " ");
        fail(code === "cancelled" ? "" : sentence);
    }
}
refused.local = 1;

function done(id, manifest) {
    var job = job_of(id);
    mark(id);
    if (!job || job.state === "landed" || job.state === "landing") {
        return;
    }
    job.manifest = (manifest || manifest_of(id)).replace(/\\/g, "/");
    face("percent", 100);
    face("left", " ");
    if (job.away) {
        job.state = "done";
        store();
        face("stage", "Finished while away: press Land");
        return;
    }
    job.state = "done";
    start_landing(job);
}
done.local = 1;

function manifest_of(id) {
    var status = parsed(read_text(link.spool + "/status/" + id + ".json"));
    return status && status.manifest ? status.manifest : "";
}
manifest_of.local = 1;

/* ---- what is kept in the Set ---- */

function remember(job) {
    jobs.push(job);
    while (jobs.length > MOST_JOBS) {
        jobs.shift();
    }
    store();
}
remember.local = 1;

function store() {
    var kept = [], i, job;
    for (i = 0; i < jobs.length; i += 1) {
        job = jobs[i];
        if (job.state !== "ended" && job.state !== "landed") {
            kept.push([job.id, job.beat, job.action].join(","));
        }
    }
    outlet(TO_STORE, "nrx:" + seed + ":" + kept.join(";"));
}
store.local = 1;

function state(text) {
    var parts = ("" + text).split(":"), entries, i, fields;
    if (parts[0] !== "nrx" || parts.length < 3) {
        return;
    }
    seed = parseInt(parts[1], 10) || 0;
    entries = parts[2] === "" ? [] : parts[2].split(";");
    for (i = 0; i < entries.length; i += 1) {
        fields = entries[i].split(",");
        if (fields.length === 3 && !job_of(fields[0])) {
            jobs.push({ id: fields[0], beat: parseFloat(fields[1]), action: fields[2], state: "open", away: 1, sends: 0 });
            current = jobs[jobs.length - 1];
        }
    }
}

/* ---- Live ---- */

function song() {
    if (!live_set) {
        live_set = new LiveAPI("live_set");
    }
    return live_set;
}
song.local = 1;

function by_id(id) { return new LiveAPI("id " + id); }
by_id.local = 1;

function list_of(api, name) {
    var got = api.get(name);
    return got instanceof Array ? got : [got];
}
list_of.local = 1;

function number_of(api, name) {
    var value = parseFloat(list_of(api, name)[0]);
    return isNaN(value) ? 0 : value;
}
number_of.local = 1;

function string_of(api, name) {
    return list_of(api, name).join(" ").replace(/&quot;/g, "\"");
}
string_of.local = 1;

function ids_of(api, name) {
    var got = list_of(api, name), ids = [], i;
    for (i = 0; i + 1 < got.length; i += 2) {
        if (got[i] === "id" && got[i + 1] !== 0) {
            ids.push(got[i + 1]);
        }
    }
    return ids;
}
ids_of.local = 1;

function live_version() {
    var app = new LiveAPI("live_app");
    return [
        parseInt(app.call("get_major_version"), 10) || 0,
        parseInt(app.call("get_minor_version"), 10) || 0,
        parseInt(app.call("get_bugfix_version"), 10) || 0
    ];
}
live_version.local = 1;

function at_least(version, major, minor, bugfix) {
    if (version[0] !== major) {
        return version[0] > major;
    }
    if (version[1] !== minor) {
        return version[1] > minor;
    }
    return version[2] >= bugfix;
}
at_least.local = 1;

function version_fits(version) {
    return version[0] === 11 ? at_least(version, 11, 3, 25) : at_least(version, 12, 0, 5);
}
version_fits.local = 1;

function has_set_path() {
    return at_least(live_version(), 11, 3, 25);
}
has_set_path.local = 1;

function has_take_lanes() {
    return at_least(live_version(), 12, 2, 0);
}
has_take_lanes.local = 1;

function own_track() {
    var api = new LiveAPI("this_device canonical_parent"), steps = 0;
    while (api.type !== "Track" && api.id !== 0 && api.id !== "0" && steps < 16) {
        api = by_id(ids_of(api, "canonical_parent")[0] || 0);
        steps += 1;
    }
    return api;
}
own_track.local = 1;

function clips_of_track() {
    var track = own_track(), ids, clips = [], notes = [], clip, i, muted = 0, name, project;
    if (track.type !== "Track") {
        fail("NRX Bridge sits on no track; put it on an audio track.");
        return null;
    }
    if (ids_of(song(), "tracks").join(" ").split(" ").indexOf("" + track.id) < 0) {
        fail("This is a return or the main track, which has no clips: put NRX Bridge on an audio track.");
        return null;
    }
    if (number_of(track, "is_foldable")) {
        fail("This is a group track, which has no clips: put NRX Bridge on a track inside it, or record the input.");
        return null;
    }
    if (!number_of(track, "has_audio_input")) {
        fail("NRX Bridge sits on no audio track; put it on one, or record the input.");
        return null;
    }
    ids = ids_of(track, "arrangement_clips");
    for (i = 0; i < ids.length; i += 1) {
        clip = by_id(ids[i]);
        if (number_of(clip, "muted")) {
            muted += 1;
        } else if (number_of(clip, "is_audio_clip")) {
            clips.push(clip);
        }
    }
    if (!clips.length) {
        fail("This track has no audio clip in the Arrangement; choose the selected clip, or record the input.");
        return null;
    }
    name = string_of(track, "name");
    if (muted) {
        notes.push(muted + (muted === 1 ? " muted clip is" : " muted clips are") + " left out.");
    }
    if (number_of(track, "is_frozen")) {
        notes.push("The track is frozen: its clips are taken as they were before.");
    }
    if (has_take_lanes() && ids_of(track, "take_lanes").length) {
        notes.push("Take lanes are left out.");
    }
    project = project_of(name, clips);
    if (project) {
        project.track.whole = true;
        project.track.notes = notes;
        face("used", [SOURCE_SAYS.clips].concat(notes).join(" "));
    }
    return project;
}
clips_of_track.local = 1;

function selected_clip() {
    var clip = new LiveAPI("live_set view detail_clip");
    if (clip.id === 0 || clip.id === "0" || !number_of(clip, "is_audio_clip")) {
        fail("No audio clip is selected; click one, and press the button again.");
        return null;
    }
    return project_of(string_of(clip, "name"), [clip]);
}
selected_clip.local = 1;

function project_of(name, clips) {
    var inputs = [], places = {}, described = [], start = 1e12, end = -1e12, i, path, one;
    for (i = 0; i < clips.length; i += 1) {
        path = string_of(clips[i], "file_path");
        if (path === "") {
            fail("The clip \"" + string_of(clips[i], "name") + "\" has no file yet; save the Set, and press the button again.");
            return null;
        }
        if (places["/" + path] === undefined) {
            places["/" + path] = inputs.length;
            inputs.push({ path: path });
        }
        one = describe(clips[i], places["/" + path]);
        described.push(one);
        start = Math.min(start, one.start_beat);
        end = Math.max(end, one.end_beat);
    }
    return { inputs: inputs, track: timeline(name, described, start, end) };
}
project_of.local = 1;

function timeline(name, clips, start, end) {
    var set = song();
    return {
        name: name === "" ? "Track" : name,
        start_beat: start,
        end_beat: end,
        bpm: number_of(set, "tempo"),
        at_beat: number_of(set, "current_song_time"),
        signature: [number_of(set, "signature_numerator"), number_of(set, "signature_denominator")],
        clips: clips
    };
}
timeline.local = 1;

function describe(clip, input) {
    var warped = number_of(clip, "warping") ? true : false, arranged = number_of(clip, "is_arrangement_clip");
    var length = number_of(clip, "end_time") - number_of(clip, "start_time"), one, markers, i;
    one = {
        input: input,
        name: string_of(clip, "name").slice(0, 1000),
        start_beat: arranged ? number_of(clip, "start_time") : 0,
        end_beat: arranged ? number_of(clip, "end_time") : 0,
        warped: warped,
        offset: number_of(clip, "start_marker"),
        gain_db: decibels(string_of(clip, "gain_display_string")),
        semitones: number_of(clip, "pitch_coarse") + number_of(clip, "pitch_fine") / 100
    };
    if (!arranged) {
        one.end_beat = warped ? number_of(clip, "end_marker") - one.offset :
            (number_of(clip, "end_marker") - one.offset) * number_of(song(), "tempo") / 60;
    } else if (length <= 0) {
        one.end_beat = one.start_beat;
    }
    if (warped) {
        one.mode = number_of(clip, "warp_mode");
        if (number_of(clip, "looping")) {
            one.loop = [number_of(clip, "loop_start"), number_of(clip, "loop_end")];
        }
        one.markers = [];
        markers = parsed(string_of(clip, "warp_markers"));
        markers = markers && markers.warp_markers ? markers.warp_markers : [];
        for (i = 0; i < markers.length; i += 1) {
            one.markers.push([markers[i].sample_time, markers[i].beat_time]);
        }
    }
    return one;
}
describe.local = 1;

/* What Live shows: "-6.0 dB", in some languages with a comma, with a true minus sign, or "-inf dB". */
function decibels(text) {
    var value = parseFloat(("" + text).replace("\u2212", "-").replace(",", "."));
    return isNaN(value) ? -144 : value;
}
decibels.local = 1;

/* ---- recording the input ---- */

function start_take(asked) {
    var set = song(), looped = number_of(set, "loop"), id = new_id(), start, end, path;
    start = looped ? number_of(set, "loop_start") : 0;
    end = looped ? start + number_of(set, "loop_length") : number_of(set, "last_event_time");
    if (is_recording()) {
        fail("Live is recording; stop that first.");
        return;
    }
    if (end <= start) {
        fail("There is nothing to record; set the loop brace over the part that you want.");
        return;
    }
    path = link.spool.replace(/\/spool$/, "") + "/inputs/" + id + ".wav";
    take = { asked: asked, id: id, path: path, start: start, end: end, last: start, looped: looped, playing: 0, at_ms: now() };
    set.call("stop_playing");
    set.set("loop", 0);
    set.set("current_song_time", start);
    outlet(TO_RECORDER, ["open", path, "wave"]);
    outlet(TO_RECORDER, 1);
    set.call("continue_playing");
    face("stage", "Recording");
    recorder.interval = RECORD_POLL_MS;
    recorder.repeat();
}
start_take.local = 1;

function is_recording() {
    return number_of(song(), "record_mode") || number_of(song(), "session_record");
}
is_recording.local = 1;

function watch_take() {
    var at;
    if (!take) {
        recorder.cancel();
        return;
    }
    if (take.stopped_ms) {
        if (now() - take.stopped_ms >= RECORD_CLOSE_MS) {
            end_take();
        }
        return;
    }
    at = number_of(song(), "current_song_time");
    if (!number_of(song(), "is_playing")) {
        if (take.playing) {
            stop_take();
        } else if (now() - take.at_ms > RECORD_START_MS) {
            stop_take();
            take = null;
            face("stage", "Ready");
            fail("Live did not start to play; press the button again.");
        }
        return;
    }
    take.playing = 1;
    face("percent", Math.floor(100 * Math.max(0, at - take.start) / (take.end - take.start)));
    take.last = Math.max(take.start, Math.min(at, take.end));
    if (at >= take.end) {
        stop_take();
    }
}
watch_take.local = 1;

function stop_take() {
    var set = song();
    outlet(TO_RECORDER, 0);
    set.call("stop_playing");
    set.set("loop", take.looped);
    take.stopped_ms = now();
}
stop_take.local = 1;

/* What was recorded, in a file beside it as well: should the daemon be away now, it tells where the sound belongs. */
function end_take() {
    var done_take = take, place;
    recorder.cancel();
    take = null;
    if (done_take.last <= done_take.start) {
        face("stage", "Ready");
        fail("Nothing was recorded: playback stopped at once.");
        return;
    }
    place = timeline(string_of(own_track(), "name"), [{
        input: 0, start_beat: done_take.start, end_beat: done_take.last, warped: false, offset: 0, gain_db: 0, semitones: 0
    }], done_take.start, done_take.last);
    write_text(done_take.path.replace(/wav$/, "json"), ascii({
        protocol: PROTOCOL, file: done_take.id + ".wav", start_beat: done_take.start, end_beat: done_take.last,
        bpm: place.bpm, signature: place.signature, sample_rate: sample_rate
    }));
    done_take.asked.id = done_take.id;
    done_take.asked.project = { inputs: [{ path: done_take.path }], track: place };
    submit(done_take.asked);
}
end_take.local = 1;

/* ---- landing ----
 *
 * In few turns of the script, as Live may make an undo step of each: all tracks with their clips; then their warping;
 * then their looping (both in one turn crash Live before 12.1.5); then MIDI; then locators, one turn each.
 */

function land() {
    var states = ["done", "landed"], i, j;
    for (j = 0; j < states.length; j += 1) {
        for (i = jobs.length - 1; i >= 0; i -= 1) {
            if (jobs[i].state === states[j]) {
                start_landing(jobs[i]);
                return;
            }
        }
    }
    fail("No finished job waits to be landed.");
}

function start_landing(job) {
    var manifest, folder;
    if (landing) {
        job.state = "done";
        if (landing.job !== job && to_land.indexOf(job) < 0) {
            to_land.push(job);
        }
        return;
    }
    manifest = parsed(read_text(job.manifest));
    if (!manifest || !manifest.tracks) {
        fail("The return of " + job.id + " cannot be read: " + job.manifest);
        return;
    }
    folder = job.manifest.replace(/\/[^\/]*$/, "");
    if (!version_fits(live_version())) {
        job.state = "landed";
        store();
        face("stage", "Ready");
        fail("Drag the stems from " + folder + " into Live: this version cannot be given clips by a device.");
        messnamed("max", "launchbrowser", address_of(folder));
        return;
    }
    job.state = "landing";
    landing = {
        job: job, manifest: manifest, folder: folder, session: settings.place === 1, step: 0, laid: [], failed: "", said: []
    };
    fail("");
    face("stage", "Landing");
    lander.interval = LAND_STEP_MS;
    lander.repeat();
}
start_landing.local = 1;

function address_of(folder) {
    return "file://" + (folder.charAt(0) === "/" ? "" : "/") + encodeURI(folder).replace(/#/g, "%23").replace(/\?/g, "%3F");
}
address_of.local = 1;

function land_step() {
    var work = landing, steps = [lay_tracks, set_warping, set_looping, land_midi, set_locator];
    if (!work) {
        lander.cancel();
        return;
    }
    if (is_recording()) {
        face("stage", "Waiting until recording ends");
        lander.interval = RECORDING_MS;
        return;
    }
    lander.interval = LAND_STEP_MS;
    face("stage", "Landing");
    if (work.step < steps.length) {
        if (steps[work.step](work) !== "again") {
            work.step += 1;
        }
        return;
    }
    lander.cancel();
    landing = null;
    finish_landing(work);
    while (to_land.length && !landing) {
        start_landing(to_land.shift());
    }
}
land_step.local = 1;

function remark(work, sentence) {
    if (work.said.indexOf(sentence) < 0) {
        work.said.push(sentence);
    }
}
remark.local = 1;

function lay_tracks(work) {
    var told = tracks_to_land(work), i;
    for (i = 0; i < told.length && work.failed === ""; i += 1) {
        lay_track(work, told[i]);
    }
}
lay_tracks.local = 1;

function tracks_to_land(work) {
    var there = files_in_set(work.session), told = work.manifest.tracks, tracks = [], i;
    for (i = 0; i < told.length; i += 1) {
        if (KINDS_LANDED[told[i].kind] && !is_among(there, work.folder + "/" + told[i].file)) {
            tracks.push(told[i]);
        }
    }
    return tracks;
}
tracks_to_land.local = 1;

/* macOS may give a path back with its accents taken apart: where one of two paths is, only the rest is compared. */
function is_among(files, path) {
    var i, bare = without_accents(path);
    if (files.indexOf(path) >= 0) {
        return true;
    }
    for (i = 0; i < files.length; i += 1) {
        if (/[\u0300-\u036f]/.test(files[i]) !== /[\u0300-\u036f]/.test(path) && without_accents(files[i]) === bare) {
            return true;
        }
    }
    return false;
}
is_among.local = 1;

function without_accents(path) {
    return path.replace(/[\s\S][\u0300-\u036f]+/g, "").replace(/[^\u0000-\u007e]/g, "");
}
without_accents.local = 1;

function files_in_set(session) {
    var files = [], tracks = ids_of(song(), "tracks"), i, j, track, slots, clips, clip;
    for (i = 0; i < tracks.length; i += 1) {
        track = by_id(tracks[i]);
        clips = [];
        if (!session) {
            clips = ids_of(track, "arrangement_clips");
        } else {
            slots = ids_of(track, "clip_slots");
            if (slots.length && number_of(by_id(slots[0]), "has_clip")) {
                clips = ids_of(by_id(slots[0]), "clip");
            }
        }
        for (j = 0; j < clips.length; j += 1) {
            clip = by_id(clips[j]);
            if (number_of(clip, "is_audio_clip")) {
                files.push(string_of(clip, "file_path").replace(/\\/g, "/"));
            }
        }
    }
    return files;
}
files_in_set.local = 1;

/* The new track's place, to the right of the last one; -1 is the end, where the own track is none that can be counted. */
function place_for_track(made) {
    var ids = ids_of(song(), "tracks"), own = own_track(), i;
    if (own.type === "Track" && number_of(own, "is_foldable")) {
        return -1;
    }
    for (i = 0; i < ids.length; i += 1) {
        if ("" + ids[i] === "" + own.id) {
            return i + 1 + made;
        }
    }
    return -1;
}
place_for_track.local = 1;

/* Have Live make a track, and return it, or null: the one that was not there before. */
function new_track(call, index) {
    var before = {}, ids = ids_of(song(), "tracks"), i;
    for (i = 0; i < ids.length; i += 1) {
        before["t" + ids[i]] = 1;
    }
    song().call(call, index);
    ids = ids_of(song(), "tracks");
    for (i = 0; i < ids.length; i += 1) {
        if (!before["t" + ids[i]]) {
            return { api: by_id(ids[i]), index: i };
        }
    }
    return null;
}
new_track.local = 1;

function lay_track(work, told) {
    var track = new_track("create_audio_track", place_for_track(work.laid.length)), clip;
    if (!track) {
        work.failed = "Live made no further track (its edition may allow no more); " + work.laid.length + " are there.";
        return;
    }
    set_checked(work, track.api, "name", safe_name(told.name));
    track.api.set("color", parseInt(told.colour.slice(1), 16));
    set_checked(work, track.api, "mute", told.muted ? 1 : 0);
    set_volume(work, track.api, told.gain_db);
    clip = make_clip(work, told, track.api);
    if (!clip) {
        song().call("delete_track", track.index);
        work.failed = "Live did not take " + work.folder + "/" + told.file + " as a clip.";
        return;
    }
    set_checked(work, clip, "name", safe_name(told.name));
    work.laid.push({ clip: clip, told: told });
}
lay_track.local = 1;

/* Live takes a symbol of digits for a number. */
function safe_name(name) {
    return /^[0-9.]+$/.test(name) ? "nrx " + name : name;
}
safe_name.local = 1;

var volumes = {};

function set_volume(work, track, gain_db) {
    var volume = by_id(ids_of(by_id(ids_of(track, "mixer_device")[0]), "volume")[0]), key = "" + round(gain_db);
    if (volumes[key] === undefined) {
        volumes[key] = Math.abs(gain_db) < 0.005 ? 0.85 : place_on_fader(volume, gain_db);
    }
    volume.set("value", volumes[key]);
    if (Math.abs(number_of(volume, "value") - volumes[key]) > 1e-3) {
        remark(work, "Live did not take a volume.");
    }
}
set_volume.local = 1;

/* A fader's place for a level, by what Live says that places mean. */
function place_on_fader(volume, gain_db) {
    var low = 0, high = 1, middle, i;
    for (i = 0; i < 16; i += 1) {
        middle = (low + high) / 2;
        if (decibels(volume.call("str_for_value", middle)) < gain_db) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}
place_on_fader.local = 1;

function make_clip(work, told, track) {
    var path = work.folder + "/" + told.file, tries, i, clips, slot;
    if (/^[A-Za-z]:\//.test(path)) {
        path = path.replace(/\//g, "\\");
    }
    tries = path.charAt(0) === "/" ? [path, "/Volumes/Macintosh HD" + path] : [path];
    slot = work.session ? by_id(ids_of(track, "clip_slots")[0]) : null;
    for (i = 0; i < tries.length; i += 1) {
        if (slot) {
            slot.call("create_audio_clip", tries[i]);
            clips = number_of(slot, "has_clip") ? ids_of(slot, "clip") : [];
        } else {
            track.call("create_audio_clip", tries[i], work.job.beat);
            clips = ids_of(track, "arrangement_clips");
        }
        if (clips.length === 1) {
            return by_id(clips[0]);
        }
    }
    return null;
}
make_clip.local = 1;

function set_checked(work, api, name, value) {
    api.set(name, value);
    if (string_of(api, name) !== "" + value && number_of(api, name) !== value) {
        work.failed = "Live did not take " + name + " " + value + ".";
    }
}
set_checked.local = 1;

/* Warped only where Live's markers say what is true of the file: its first beat at 0 s, and the tempo of the result. */
function set_warping(work) {
    var follows = settings.warp && is_steady(work.manifest), i, clip;
    for (i = 0; i < work.laid.length; i += 1) {
        clip = work.laid[i].clip;
        if (follows) {
            clip.set("warping", 1);
        }
        if (follows && has_true_markers(clip, work.manifest.timeline.tempo_bpm)) {
            set_checked(work, clip, "warp_mode", COMPLEX);
        } else {
            if (follows) {
                remark(work, "Left unwarped, as Live heard another tempo.");
            }
            set_checked(work, clip, "warping", 0);
        }
    }
}
set_warping.local = 1;

function is_steady(manifest) {
    return manifest.timeline && manifest.timeline.tempo_map.segments.length === 1;
}
is_steady.local = 1;

function has_true_markers(clip, bpm) {
    var markers = parsed(string_of(clip, "warp_markers")), last;
    markers = markers && markers.warp_markers ? markers.warp_markers : [];
    last = markers[markers.length - 1];
    return markers.length > 1 && markers[0].sample_time === 0 && markers[0].beat_time === 0 &&
        Math.abs(60 * last.beat_time / last.sample_time - bpm) < 0.01;
}
has_true_markers.local = 1;

function set_looping(work) {
    var i, clip, at;
    for (i = 0; i < work.laid.length; i += 1) {
        clip = work.laid[i].clip;
        set_checked(work, clip, "looping", 0);
        at = number_of(clip, "start_time");
        if (!work.session && Math.abs(at - work.job.beat) > 1e-6) {
            work.failed = "A clip lies at beat " + at + " instead of " + work.job.beat + ".";
        }
    }
}
set_looping.local = 1;

function finish_landing(work) {
    var timeline = work.manifest.timeline, said;
    (new LiveAPI("live_app view")).call("show_view", work.session ? "Session" : "Arranger");
    work.job.state = work.failed === "" ? "landed" : "done";
    store();
    if (work.failed !== "") {
        fail(work.failed);
        face("stage", "Not landed: press Land to go on");
        return;
    }
    said = work.said;
    if (work.manifest.request && work.manifest.request.tempo === "style" && timeline) {
        said.push("Set the tempo to " + round(timeline.tempo_bpm) + " to line up.");
    }
    face("stage", work.laid.length ? "Landed on " + work.laid.length + " tracks" : "It had landed already");
    if (said.length) {
        face("used", said.join(" "));
    }
}
finish_landing.local = 1;

/* ---- locators ---- */

/* Where a second of the result lies, in beats after its start; the laws are those of the tempo map's document. */
function beats_at(map, second) {
    var s = map.segments, i = 0, u, slope, length, from;
    while (i + 1 < s.length && s[i + 1].start_s <= second) {
        i += 1;
    }
    from = s[i];
    u = second - from.start_s;
    if (from.law === "constant" || i + 1 === s.length || u <= 0 || from.bpm === from.end_bpm) {
        return from.start_beat + from.bpm * u / 60;
    }
    length = s[i + 1].start_beat - from.start_beat;
    if (from.law === "linear_in_beats") {
        slope = (from.end_bpm - from.bpm) / length;
        return from.start_beat + from.bpm / slope * (Math.exp(slope * u / 60) - 1);
    }
    return from.start_beat + (from.bpm * u + (from.end_bpm - from.bpm) * u * u / (2 * (s[i + 1].start_s - from.start_s))) / 60;
}
beats_at.local = 1;

function cue_times() {
    var ids = ids_of(song(), "cue_points"), times = [], i;
    for (i = 0; i < ids.length; i += 1) {
        times.push({ id: ids[i], time: number_of(by_id(ids[i]), "time") });
    }
    return times;
}
cue_times.local = 1;

function cue_at(beat) {
    var cues = cue_times(), i;
    for (i = 0; i < cues.length; i += 1) {
        if (Math.abs(cues[i].time - beat) < 1e-3) {
            return by_id(cues[i].id);
        }
    }
    return null;
}
cue_at.local = 1;

function sections_of(work) {
    var timeline = work.manifest.timeline, sections, cues = [], zero, i, beat;
    if (!settings.locators || !timeline || work.failed !== "") {
        return cues;
    }
    sections = timeline.sections || [];
    zero = beats_at(timeline.tempo_map, 0);
    for (i = 0; i < sections.length; i += 1) {
        beat = round(work.job.beat + beats_at(timeline.tempo_map, sections[i].start_s) - zero);
        if (beat >= 0 && beat < BAD_BEAT) {
            cues.push({ beat: beat, name: safe_name(sections[i].label), tries: 0, asked: 0 });
        }
    }
    return cues;
}
sections_of.local = 1;

/*
 * One turn on the way to the locators. Live moves the playhead some time after it was told, and set_or_delete_cue
 * deletes a locator where there is one: so it is called only when the playhead has come, and nothing is there.
 */
function set_locator(work) {
    var set = song(), cue, there, at;
    if (!work.cues) {
        work.cues = sections_of(work);
        work.was_at = number_of(set, "current_song_time");
    }
    if (!work.cues.length) {
        if (work.moved && !number_of(set, "is_playing")) {
            set.set("current_song_time", work.was_at);
        }
        return "done";
    }
    cue = work.cues[0];
    cue.tries += 1;
    there = cue_at(cue.beat);
    if (there && !cue.asked) {
        work.cues.shift();
    } else if (there) {
        there.set("name", cue.name);
        work.cues.shift();
    } else if (number_of(set, "is_playing")) {
        remark(work, "Locators need playback to stand still: press Land again.");
        work.cues = [];
    } else if (cue.tries > CUE_TRIES) {
        remark(work, "Live set no locator at beat " + cue.beat + ".");
        work.cues = [];
    } else if (!cue.asked) {
        at = number_of(set, "current_song_time");
        if (Math.abs(at - cue.beat) < 1e-6) {
            set.call("set_or_delete_cue");
            cue.asked = 1;
        } else {
            set.set("current_song_time", cue.beat);
            work.moved = 1;
        }
    }
    return "again";
}
set_locator.local = 1;

/* ---- MIDI files of the return, as clips ---- */

function land_midi(work) {
    var told = work.manifest.tracks, i, notes;
    if (!settings.midi || !work.manifest.timeline || work.failed !== "" || !work.laid.length) {
        return;
    }
    for (i = 0; i < told.length; i += 1) {
        notes = told[i].midi ? notes_of(read_bytes(work.folder + "/" + told[i].midi), work.manifest.timeline.tempo_map) : [];
        if (notes.length && !lay_notes(work, told[i], notes)) {
            return;
        }
    }
}
land_midi.local = 1;

function lay_notes(work, told, notes) {
    var made = new_track("create_midi_track", -1), slot, clip, length = 1, i;
    slot = made ? by_id(ids_of(made.api, "clip_slots")[0]) : null;
    if (!slot) {
        remark(work, "Live made no further MIDI track.");
        return false;
    }
    made.api.set("name", safe_name(told.name + " MIDI"));
    made.api.set("mute", 1);
    for (i = 0; i < notes.length; i += 1) {
        length = Math.max(length, notes[i].start_time + notes[i].duration);
    }
    slot.call("create_clip", Math.ceil(length));
    clip = by_id(ids_of(slot, "clip")[0]);
    clip.call("add_new_notes", { notes: notes });
    clip.set("name", safe_name(told.name));
    if (!has_notes(clip, length)) {
        remark(work, "Live took no notes.");
    }
    if (!work.session) {
        made.api.call("duplicate_clip_to_arrangement", "id", clip.id, work.job.beat);
        slot.call("delete_clip");
    }
    return true;
}
lay_notes.local = 1;

function has_notes(clip, length) {
    var got = clip.call("get_notes_extended", 0, 128, 0, length), read;
    read = parsed(got instanceof Array ? got.join(" ").replace(/&quot;/g, "\"") : "" + got);
    return read && read.notes && read.notes.length > 0;
}
has_notes.local = 1;

function big(bytes, at, count) {
    var value = 0, i;
    for (i = 0; i < count; i += 1) {
        value = value * 256 + bytes[at + i];
    }
    return value;
}
big.local = 1;

/*
 * The notes of a MIDI file in beats after the start of the result. Its tick 0 is the start of the sound, but its ticks
 * need not be the Set's beats (a lead-in bar has a tempo of its own): so each goes through seconds.
 */
function notes_of(b, map) {
    var found = midi_events(b), times = found.tempos, notes = [], zero = beats_at(map, 0), i, note, start, end;
    function beat_of(tick) {
        var j = 0;
        while (j + 1 < times.length && times[j + 1].tick <= tick) {
            j += 1;
        }
        return beats_at(map, times[j].at_s + (tick - times[j].tick) * times[j].tick_s) - zero;
    }
    for (i = 0; i < found.notes.length; i += 1) {
        note = found.notes[i];
        start = Math.max(0, beat_of(note.start));
        end = beat_of(Math.max(note.end, note.start + 1));
        notes.push({ pitch: note.pitch, start_time: start, duration: end - start, velocity: note.velocity, mute: 0 });
    }
    return notes;
}
notes_of.local = 1;

/* The notes of a standard MIDI file in ticks, and from which tick on a tick lasts how long. */
function midi_events(b) {
    var notes = [], tempos = [], at = 14, ticks = b.length < 14 ? 1 : big(b, 12, 2), end, status, kind, size, time, open, i;
    function number() {
        var value = 0, one;
        do {
            one = b[at];
            at += 1;
            value = value * 128 + (one & 127);
        } while (one & 128);
        return value;
    }
    function close(pitch, channel) {
        var key = channel + "/" + pitch;
        if (open[key]) {
            notes.push({ pitch: pitch, start: open[key].at, end: time, velocity: open[key].velocity });
            open[key] = null;
        }
    }
    while (big(b, 0, 4) === 0x4d546864 && at + 8 <= b.length) {
        end = Math.min(b.length, at + 8 + big(b, at + 4, 4));
        at += 8;
        time = 0;
        open = {};
        status = 0;
        while (at < end) {
            time += number();
            if (b[at] & 128) {
                status = b[at];
                at += 1;
            }
            kind = status & 240;
            if (status === 255 || status === 240 || status === 247) {
                kind = status === 255 ? b[at] : 0;
                at += status === 255 ? 1 : 0;
                size = number();
                if (kind === 0x51) {
                    tempos.push({ tick: time, tick_s: big(b, at, 3) / 1e6 / ticks, at_s: 0 });
                }
                at += size;
            } else if (kind === 192 || kind === 208) {
                at += 1;
            } else {
                if (kind === 144 && b[at + 1] > 0) {
                    close(b[at], status & 15);
                    open[(status & 15) + "/" + b[at]] = { at: time, velocity: b[at + 1] };
                } else if (kind === 128 || kind === 144) {
                    close(b[at], status & 15);
                }
                at += 2;
            }
        }
        at = end;
    }
    tempos.sort(function (x, y) { return x.tick - y.tick; });
    if (!tempos.length || tempos[0].tick > 0) {
        tempos.unshift({ tick: 0, tick_s: 0.5 / ticks, at_s: 0 });
    }
    for (i = 1; i < tempos.length; i += 1) {
        tempos[i].at_s = tempos[i - 1].at_s + (tempos[i].tick - tempos[i - 1].tick) * tempos[i - 1].tick_s;
    }
    return { notes: notes, tempos: tempos };
}
midi_events.local = 1;

/* ---- files and text ---- */

function now() { return (new Date()).getTime(); }
now.local = 1;

function round(value) { return Math.round(1000 * value) / 1000; }
round.local = 1;

/* JSON in ASCII: how Max encodes other characters in a file is not documented. */
function ascii(value) {
    return JSON.stringify(value).replace(/[\u007f-\uffff]/g, function (c) {
        return "\\u" + ("0000" + c.charCodeAt(0).toString(16)).slice(-4);
    });
}
ascii.local = 1;

/* Max on macOS knows paths as "Macintosh HD:/…" too, and older ones only so. */
function opened(path, access) {
    var file = access === "write" ? new File(path, "write", "TEXT") : new File(path, "read");
    if (!file.isopen && path.charAt(0) === "/" && max.os === "macintosh") {
        file = access === "write" ? new File("Macintosh HD:" + path, "write", "TEXT") : new File("Macintosh HD:" + path, "read");
    }
    return file;
}
opened.local = 1;

function write_text(path, text) {
    var file = opened(path, "write"), at;
    if (!file.isopen) {
        return false;
    }
    file.eof = 0;
    for (at = 0; at < text.length; at += SLICE) {
        file.writestring(text.slice(at, at + SLICE));
    }
    file.close();
    return true;
}
write_text.local = 1;

function read_bytes(path) {
    var file = opened(path, "read"), bytes = [], some, i;
    if (!file.isopen) {
        return bytes;
    }
    while (file.position < file.eof) {
        some = file.readbytes(Math.min(SLICE, file.eof - file.position));
        if (!some || !some.length) {
            break;
        }
        for (i = 0; i < some.length; i += 1) {
            bytes.push(some[i]);
        }
    }
    file.close();
    return bytes;
}
read_bytes.local = 1;

function read_text(path) {
    var b = read_bytes(path), parts = [], i;
    for (i = 0; i < b.length; i += SLICE) {
        parts.push(String.fromCharCode.apply(null, b.slice(i, i + SLICE)));
    }
    try {
        return decodeURIComponent(escape(parts.join("")));
    } catch (e) {
        return "";
    }
}
read_text.local = 1;

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch (e) {
        return null;
    }
}
parsed.local = 1;

var touch = new Task(keep_in_touch, this);
var resend = new Task(announce_again, this);
var lander = new Task(land_step, this);
var recorder = new Task(watch_take, this);
