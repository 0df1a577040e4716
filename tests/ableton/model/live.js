/*
 * A strict model of what a script in Max's js object sees: LiveAPI, Task, File, outlet, post and no more. Errors do not
 * throw: they go to `console_errors`, which tests look at. Versions differ as `lom` says. The host (live.py) moves time,
 * audio and datagrams. Nothing here was copied from Live; it follows the published facts about the object model.
 */
var console_errors = [], posted = [], sent = [], named = [], written = [];
var files = {}, folders = {}, sounds = {};
var tasks = [], turn = 0, is_ready = false, crashed = "";
var messagename = "";
var autowatch, inlets, outlets;
var lom, version, song_speed = 1, last_ms = 0;
var objects = {}, next_id = 1;
var FEW_PALETTE = 0x3f3f3f;
var Model = {};

Model.error = function (text) { console_errors.push(text); };
Model.strict = function (target, what) {
    return new Proxy(target, {
        get: function (t, k) {
            if (!(k in t) && typeof k !== "symbol") { Model.error(what + " has no member " + k); }
            return t[k];
        },
        set: function (t, k, v) {
            if (!(k in t)) { Model.error(what + " has no member " + k + " to set"); return true; }
            t[k] = v;
            return true;
        }
    });
};
Model.parts = function (text) { return text.split(".").map(Number); };
Model.since = function (text) {
    return text.split(" ").some(function (one) {
        var w = Model.parts(one), n = text.split(" ").length, i;
        if (n > 1 && w[0] !== version[0]) { return one === text.split(" ")[n - 1] && version[0] > w[0]; }
        for (i = 0; i < w.length; i += 1) {
            if (version[i] !== w[i]) { return version[i] > w[i]; }
        }
        return true;
    });
};
Model.make = function (type, props) {
    var id = next_id;
    next_id += 1;
    objects[id] = { id: id, type: type, props: props || {} };
    return id;
};
Model.track = function (kind, name) {
    var volume = Model.make("DeviceParameter", { value: 0.85, min: 0, max: 1 });
    var mixer = Model.make("MixerDevice", { volume: volume });
    var slot = Model.make("ClipSlot", { clip: 0 });
    var id = Model.make("Track", {
        name: name, color: 0, mute: 0, has_audio_input: kind === "audio" ? 1 : 0, is_frozen: 0, is_foldable: 0,
        arrangement_clips: [], clip_slots: [slot], mixer_device: mixer, canonical_parent: Model.song
    });
    objects[slot].props.canonical_parent = id;
    objects[mixer].props.canonical_parent = id;
    return id;
};
Model.clip = function (track, props) {
    var base = {
        name: "", is_audio_clip: 1, is_arrangement_clip: 1, muted: 0, start_time: 0, end_time: 0, file_path: "",
        start_marker: 0, end_marker: 0, loop_start: 0, loop_end: 0, looping: 0, warping: 0, warp_mode: 0,
        warp_markers: "{\"warp_markers\":[]}", gain_display_string: "0.0 dB", pitch_coarse: 0, pitch_fine: 0, color: 0
    }, k, id;
    for (k in props) { base[k] = props[k]; }
    id = Model.make("Clip", base);
    objects[id].track = track;
    if (base.is_arrangement_clip) { objects[track].props.arrangement_clips.push(id); }
    return id;
};
Model.begin = function (table, text, path) {
    lom = table;
    version = Model.parts(text);
    Model.app = Model.make("Application", {});
    Model.app_view = Model.make("Application.View", {});
    Model.song = Model.make("Song", {
        tempo: 120, signature_numerator: 4, signature_denominator: 4, file_path: path, name: "", current_song_time: 0,
        last_event_time: 0, loop: 0, loop_start: 0, loop_length: 4, is_playing: 0, record_mode: 0, session_record: 0,
        tracks: [], cue_points: []
    });
    Model.view = Model.make("Song.View", { detail_clip: 0 });
    Model.own = Model.track("audio", "Fishin Song");
    objects[Model.song].props.tracks = [Model.own, Model.track("midi", "Keys"), Model.track("audio", "Vox")];
    Model.device = Model.make("MaxDevice", { canonical_parent: Model.own });
    Model.device_parent = Model.own;
};
Model.resolve = function (path) {
    var fixed = {
        live_app: Model.app, "live_app view": Model.app_view, live_set: Model.song, "live_set view": Model.view,
        "live_set view detail_clip": objects[Model.view].props.detail_clip,
        "this_device canonical_parent": Model.device_parent
    }, id;
    if (path in fixed) { return fixed[path]; }
    if (/^id \d+$/.test(path)) {
        id = parseInt(path.slice(3), 10);
        if (id !== 0 && !objects[id]) { Model.error("the id " + id + " is stale"); return 0; }
        return id;
    }
    Model.error("no such path: " + path);
    return 0;
};
Model.atoms = function (value) {
    if (value instanceof Array) {
        return value.reduce(function (all, id) { return all.concat(["id", id]); }, []);
    }
    if (typeof value === "string") {
        return value.replace(/"/g, "&quot;").split(" ").map(function (word) {
            return /^\d+$/.test(word) ? parseInt(word, 10) : word;
        });
    }
    return [value];
};
var ID_KINDS = { mixer_device: 1, volume: 1, clip: 1, detail_clip: 1, canonical_parent: 1 };

function LiveAPI(path) {
    var id, self;
    if (arguments.length !== 1 || typeof path !== "string") { Model.error("LiveAPI wants one path here"); }
    if (!is_ready) { Model.error("LiveAPI before live.thisdevice"); }
    id = Model.resolve(path);
    self = {
        get id() { return "" + (objects[id] ? id : 0); },
        get type() { return objects[id] ? objects[id].type : ""; },
        get: function (name) {
            var it = Model.look(id, "get", name), value;
            if (!it) { return 0; }
            if (name === "has_clip") { return [it.props.clip ? 1 : 0]; }
            value = it.props[name];
            if (ID_KINDS[name]) { return ["id", value]; }
            return name === "file_path" || name === "warp_markers" || name === "gain_display_string" ?
                [("" + value).replace(/"/g, "&quot;")] : Model.atoms(value);
        },
        set: function (name, value) {
            var it = Model.look(id, "set", name);
            if (it) { Model.write(it, name, value); }
        },
        call: function (name) {
            var it = Model.look(id, "call", name), rest = Array.prototype.slice.call(arguments, 1);
            return it ? Model.calls[it.type + "." + name](it, rest) : 0;
        }
    };
    return Model.strict(self, "LiveAPI");
}
Model.look = function (id, how, name) {
    var it = objects[id], row;
    if (!it) { Model.error(how + " " + name + " on no object"); return null; }
    row = lom[it.type] && lom[it.type][how] && lom[it.type][how][name];
    if (!row || !Model.since(row)) {
        Model.error("'" + it.type + "' object has no attribute '" + name + "' (" + how + ")");
        return null;
    }
    return it;
};
Model.write = function (it, name, value) {
    var earlier = version[0] < 12 || version[1] < 1 || (version[1] === 1 && version[2] < 5);
    if (it.type === "Clip" && (name === "warping" || name === "looping")) {
        if (it.touched === turn && it.touched_what !== name && earlier) { crashed = "looping and warping in one turn"; }
        it.touched = turn;
        it.touched_what = name;
        if (name === "warping") { Model.rewarp(it, value); }
    }
    if (name === "color") { value = value & ~FEW_PALETTE; }
    if (name === "name") { value = "" + value; }
    it.props[name] = value;
    if (it.type === "Song" && name === "current_song_time") { it.props.is_playing = it.props.is_playing; }
};
Model.rewarp = function (it, value) {
    var beats = it.seconds * objects[Model.song].props.tempo / 60;
    if (it.seconds) {
        it.props.end_time = it.props.start_time + (value ? Math.round(beats) : beats);
        it.props.warp_markers = JSON.stringify({ warp_markers: [
            { sample_time: 0, beat_time: 0 }, { sample_time: it.seconds, beat_time: it.seconds * Model.heard_bpm / 60 }
        ] });
    }
};
Model.new_audio = function (it, path, beat, props) {
    var sound = sounds[path], id, k;
    if (!sound) { Model.error("create_audio_clip: no audio file " + path); return 0; }
    if (objects[Model.song].props.record_mode) { Model.error("create_audio_clip while recording"); return 0; }
    id = Model.clip(it.id, {
        name: path.replace(/^.*\//, ""), file_path: path, start_time: beat, looping: 1, warping: 1,
        is_arrangement_clip: props.is_arrangement_clip
    });
    objects[id].seconds = sound.seconds;
    Model.rewarp(objects[id], 1);
    return id;
};
Model.insert = function (kind, index) {
    var tracks = objects[Model.song].props.tracks, id;
    if (tracks.length >= Model.most_tracks) { Model.error("no more tracks in this edition"); return 0; }
    id = Model.track(kind, (tracks.length + 1) + "-" + kind);
    if (index < -1 || index > tracks.length) { Model.error("track index " + index); return 0; }
    tracks.splice(index === -1 ? tracks.length : index, 0, id);
    return ["id", id];
};
Model.most_tracks = 1000;
Model.heard_bpm = 120;
Model.decibels = function (v) {
    if (v <= 0) { return "-inf dB"; }
    return (v >= 0.4 ? (v - 0.85) * 40 : -18 - 52 * Math.pow((0.4 - v) / 0.4, 1.5)).toFixed(1) + " dB";
};
Model.calls = {
    "Application.get_major_version": function () { return version[0]; },
    "Application.get_minor_version": function () { return version[1]; },
    "Application.get_bugfix_version": function () { return version[2] || 0; },
    "Application.View.show_view": function (it, a) { it.props.shown = a[0]; },
    "Song.create_audio_track": function (it, a) { return Model.insert("audio", a[0]); },
    "Song.create_midi_track": function (it, a) { return Model.insert("midi", a[0]); },
    "Song.stop_playing": function (it) { it.props.is_playing = 0; },
    "Song.start_playing": function (it) { it.props.is_playing = 1; },
    "Song.continue_playing": function (it) { it.props.is_playing = 1; },
    "Song.set_or_delete_cue": function (it) {
        it.props.cue_points.push(Model.make("CuePoint", { time: it.props.current_song_time, name: "" }));
    },
    "Track.create_audio_clip": function (it, a) {
        if (!it.props.has_audio_input || it.props.is_frozen || !(a[1] >= 0 && a[1] <= 1576800)) {
            Model.error("create_audio_clip refused");
            return 0;
        }
        return Model.new_audio(it, a[0], a[1], { is_arrangement_clip: 1 });
    },
    "Track.duplicate_clip_to_arrangement": function (it, a) {
        var from = objects[a[1]], id;
        if (a[0] !== "id" || !from || typeof a[2] !== "number") { Model.error("duplicate_clip_to_arrangement"); return 0; }
        id = Model.clip(it.id, from.props);
        objects[id].props.is_arrangement_clip = 1;
        objects[id].props.start_time = a[2];
        objects[id].notes = from.notes;
        it.props.arrangement_clips.push(id);
        return ["id", id];
    },
    "Track.delete_clip": function (it, a) { delete objects[a[1]]; },
    "ClipSlot.create_audio_clip": function (it, a) {
        if (it.props.clip) { Model.error("the slot is not empty"); return 0; }
        it.props.clip = Model.new_audio(objects[it.props.canonical_parent], a[0], 0, { is_arrangement_clip: 0 });
    },
    "ClipSlot.create_clip": function (it, a) {
        it.props.clip = Model.clip(it.props.canonical_parent, {
            is_audio_clip: 0, is_arrangement_clip: 0, end_time: a[0], end_marker: a[0]
        });
    },
    "ClipSlot.delete_clip": function (it) { delete objects[it.props.clip]; it.props.clip = 0; },
    "Clip.add_new_notes": function (it, a) {
        if (!a[0] || !(a[0].notes instanceof Array)) { Model.error("add_new_notes"); return; }
        a[0].notes.forEach(function (n) {
            if (!(n.pitch >= 0 && n.pitch < 128 && n.duration > 0 && n.start_time >= 0)) { Model.error("a bad note"); }
        });
        it.notes = a[0].notes;
    },
    "DeviceParameter.str_for_value": function (it, a) { return Model.decibels(a[0]); }
};

function post() { posted.push(Array.prototype.join.call(arguments, " ")); }
function outlet(n, value) {
    if (arguments.length !== 2 || n >= outlets) { Model.error("outlet " + n + " with " + arguments.length + " arguments"); }
    sent.push([n, (value instanceof Array ? value : [value]).map(function (one) {
        if (typeof one !== "number" && typeof one !== "string") { Model.error("outlet of a " + typeof one); return "" + one; }
        return one;
    })]);
}
function messnamed() { named.push(Array.prototype.slice.call(arguments)); }
function arrayfromargs(a) { return Array.prototype.slice.call(a); }
function Task(fn, object) {
    var self = {
        interval: 500, running: 0,
        schedule: function (ms) { self.running = 1; self.due = Date.now() + (ms || 0); self.left = 1; },
        repeat: function (n) { self.running = 1; self.due = Date.now() + self.interval; self.left = n > 0 ? n : -1; },
        cancel: function () { self.running = 0; },
        due: 0, left: 0, fn: fn, object: object
    };
    tasks.push(self);
    return Model.strict(self, "Task");
}
function File(path, access) {
    var write = access === "write", opened = write ? folders[path.replace(/\/[^\/]*$/, "")] === 1 : path in files;
    var text = "", bytes = files[path] || "", self;
    self = {
        isopen: opened ? 1 : 0, position: 0, eof: write ? 0 : bytes.length,
        readbytes: function (n) {
            var some = [], i;
            for (i = 0; i < n && self.position < bytes.length; i += 1) {
                some.push(bytes.charCodeAt(self.position));
                self.position += 1;
            }
            return some;
        },
        writestring: function (more) {
            if (!self.isopen || more.length > 16384 || /[^\x00-\x7e]/.test(more)) { Model.error("File.writestring"); }
            text += more;
        },
        close: function () {
            if (write && self.isopen) { written.push([path, text]); files[path] = text; }
            self.isopen = 0;
        }
    };
    return Model.strict(self, "File");
}

Model.message = function (name, args) {
    turn += 1;
    messagename = name;
    if (name.charAt(0) === "/") { anything.apply(null, args); return; }
    if (typeof this[name] !== "function" || this[name].local) { Model.error("no function " + name); return; }
    this[name].apply(null, args);
}.bind(this);
Model.advance = function (now_ms) {
    var s = objects[Model.song].props, i, task;
    if (s.is_playing && last_ms) {
        s.current_song_time += (now_ms - last_ms) / 1000 * s.tempo / 60 * song_speed;
        if (s.loop && s.current_song_time >= s.loop_start + s.loop_length) { s.current_song_time = s.loop_start; }
    }
    last_ms = now_ms;
    for (i = 0; i < tasks.length; i += 1) {
        task = tasks[i];
        if (task.running && task.due <= now_ms) {
            turn += 1;
            if (task.left > 0) { task.left -= 1; }
            task.running = task.left !== 0 ? 1 : 0;
            task.due = now_ms + task.interval;
            task.fn.call(task.object);
        }
    }
};
Model.take = function () {
    var all = JSON.stringify({ sent: sent, written: written });
    sent = [];
    written = [];
    return all;
};
