/*
 * A strict model of a Set in Live, and of what scripts in Max's js objects see of it: LiveAPI, Task, File, outlet, post
 * and no more. Errors do not throw: they go to `console_errors`, which tests look at. Versions differ as `lom` says. The
 * host (live.py) moves time, audio and datagrams. Every device runs the script's exact bytes in a scope of its own.
 * Nothing here was copied from Live; it follows the published facts about the object model.
 */
var console_errors = [], posted = [], named = [];
var files = {}, folders = {}, sounds = {};
var devices = [], turn = 0, turns_that_wrote = [], crashed = "";
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
        is_grouped: 0, arrangement_clips: [], clip_slots: [slot], take_lanes: [], mixer_device: mixer,
        canonical_parent: Model.song
    });
    objects[id].kind = kind;
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
    Model.main = Model.track("main", "Main");
    Model.return_track = Model.track("return", "A-Reverb");
};
/* Put a device on a track, inside so many racks; its number is returned. */
Model.device = function (source, track, racks) {
    var parent = track, i, rack;
    for (i = 0; i < racks; i += 1) {
        rack = Model.make("RackDevice", { canonical_parent: parent });
        parent = Model.make(i % 2 ? "DrumChain" : "Chain", { canonical_parent: rack });
    }
    devices.push(Model.scope(source, parent));
    return devices.length - 1;
};
Model.resolve = function (path, device) {
    var fixed = {
        live_app: Model.app, "live_app view": Model.app_view, live_set: Model.song, "live_set view": Model.view,
        "live_set view detail_clip": objects[Model.view].props.detail_clip,
        "this_device canonical_parent": device.parent
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
var NOT_ON_MAIN = { arm: 1, is_frozen: 1, arrangement_clips: 1, clip_slots: 1, take_lanes: 1, create_audio_clip: 1 };
var ID_KINDS = { mixer_device: 1, volume: 1, clip: 1, detail_clip: 1, canonical_parent: 1 };

Model.live_api = function (device, path) {
    var id, self;
    if (typeof path !== "string") { Model.error("LiveAPI wants one path here"); }
    if (!device.is_ready) { Model.error("LiveAPI before live.thisdevice"); }
    id = Model.resolve(path, device);
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
            if (arguments.length !== 2 || (typeof value !== "number" && typeof value !== "string")) {
                Model.error("set " + name + " wants one number or string");
            }
            if (it) { Model.writes(); Model.write(it, name, value); }
        },
        call: function (name) {
            var it = Model.look(id, "call", name), rest = Array.prototype.slice.call(arguments, 1), call;
            if (!it) { return 0; }
            call = Model.calls[it.type + "." + name];
            if (!/^get_|^str_/.test(name)) { Model.writes(); }
            return call(it, rest);
        }
    };
    return Model.strict(self, "LiveAPI");
};
Model.writes = function () {
    if (turns_that_wrote[turns_that_wrote.length - 1] !== turn) { turns_that_wrote.push(turn); }
};
Model.look = function (id, how, name) {
    var it = objects[id], row;
    if (!it) { Model.error(how + " " + name + " on no object"); return null; }
    row = lom[it.type] && lom[it.type][how] && lom[it.type][how][name];
    if ((it.kind === "main" || it.kind === "return") && NOT_ON_MAIN[name]) { row = null; }
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
        if (name === "looping" && value && !it.props.warping) { Model.error("an unwarped clip cannot loop"); return; }
    }
    if (name === "warp_mode" && !it.props.warping) { Model.error("the clip is not warped"); return; }
    if (it.type === "Song" && name === "current_song_time") {
        if (value < 0) { Model.error("current_song_time " + value); return; }
        Model.jump = { beat: value, turn: turn };  // the audio engine follows some time later
        return;
    }
    if (name === "color") { value = value & ~FEW_PALETTE; }
    if (name === "name") { value = "" + value; }
    it.props[name] = value;
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
    var sound = sounds[path.replace(Model.renamed, "")], id;
    if (Model.renamed && path.indexOf(Model.renamed) !== 0) { sound = null; }
    if (Model.refuse && path.indexOf(Model.refuse) >= 0) { sound = null; }
    if (!sound) { Model.error("create_audio_clip: no audio file " + path); return 0; }
    if (objects[Model.song].props.record_mode || objects[Model.song].props.session_record) {
        Model.error("create_audio_clip while recording");
        return 0;
    }
    if (props.is_arrangement_clip && objects[it.id].props.is_foldable) { Model.error("no clips on groups"); return 0; }
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
    if (typeof index !== "number") { Model.error("a track index that is no number"); return 0; }
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
    "Song.stop_playing": function (it) { it.props.is_playing = 0; Model.play = 0; },
    "Song.start_playing": function () { Model.play = turn; },
    "Song.continue_playing": function () { Model.play = turn; },  // it plays some time later
    "Song.delete_track": function (it, a) {
        var id = it.props.tracks[a[0]];
        if (!id) { Model.error("delete_track " + a[0]); return; }
        it.props.tracks.splice(a[0], 1);
        objects[id].props.arrangement_clips.forEach(function (clip) { delete objects[clip]; });
        delete objects[id];
    },
    "Song.set_or_delete_cue": function (it) {
        var at = it.props.current_song_time, there = it.props.cue_points.filter(function (id) {
            return objects[id].props.time === at;
        });
        if (it.props.is_playing) { Model.error("a locator is set while playing"); }
        if (there.length) {
            delete objects[there[0]];
            it.props.cue_points.splice(it.props.cue_points.indexOf(there[0]), 1);
        } else {
            it.props.cue_points.push(Model.make("CuePoint", { time: at, name: "" }));
        }
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
        objects[id].props.end_time = a[2] + from.props.end_marker;
        objects[id].notes = from.notes;
        it.props.arrangement_clips.push(id);
        return ["id", id];
    },
    "ClipSlot.create_audio_clip": function (it, a) {
        if (it.props.clip || a.length !== 1) { Model.error("the slot is not empty"); return 0; }
        it.props.clip = Model.new_audio(objects[it.props.canonical_parent], a[0], 0, { is_arrangement_clip: 0 });
    },
    "ClipSlot.create_clip": function (it, a) {
        if (it.props.clip || !(a[0] > 0) || objects[it.props.canonical_parent].kind !== "midi") {
            Model.error("create_clip refused");
            return;
        }
        it.props.clip = Model.clip(it.props.canonical_parent, {
            is_audio_clip: 0, is_arrangement_clip: 0, end_time: a[0], end_marker: a[0]
        });
    },
    "ClipSlot.delete_clip": function (it) { delete objects[it.props.clip]; it.props.clip = 0; },
    "Clip.add_new_notes": function (it, a) {
        if (it.props.is_audio_clip || !a[0] || !(a[0].notes instanceof Array)) { Model.error("add_new_notes"); return; }
        a[0].notes.forEach(function (n) {
            if (!(n.pitch >= 0 && n.pitch < 128 && n.duration > 0 && n.start_time >= 0)) { Model.error("a bad note"); }
        });
        it.notes = a[0].notes;
    },
    "Clip.get_notes_extended": function (it, a) {
        if (a.length !== 4) { Model.error("get_notes_extended wants from_pitch pitch_span from_time time_span"); }
        return JSON.stringify({ notes: it.notes || [] });
    },
    "DeviceParameter.str_for_value": function (it, a) { return Model.decibels(a[0]); }
};

/* What the script sees, for one device: the names below and no others of this file. */
Model.scope = function (source, parent) {
    var device = { parent: parent, is_ready: false, sent: [], written: [], tasks: [] }, host = {}, names, run;
    host.LiveAPI = function (path) {
        if (arguments.length !== 1) { Model.error("LiveAPI with " + arguments.length + " arguments"); }
        return Model.live_api(device, path);
    };
    host.Task = function (fn, object) {
        var self = {
            interval: 500, running: 0, due: 0, left: 0, fn: fn, object: object,
            schedule: function (ms) { self.running = 1; self.due = Date.now() + (ms || 0); self.left = 1; },
            repeat: function (n) { self.running = 1; self.due = Date.now() + self.interval; self.left = n > 0 ? n : -1; },
            cancel: function () { self.running = 0; }
        };
        if (typeof fn !== "function") { Model.error("Task of a " + typeof fn); }
        device.tasks.push(self);
        return Model.strict(self, "Task");
    };
    host.File = function (path, access) { return Model.file(device, path, access); };
    host.outlet = function (n, value) {
        if (arguments.length !== 2 || !(n < device.outlets())) { Model.error("outlet " + n + " with " + arguments.length); }
        device.sent.push([n, (value instanceof Array ? value : [value]).map(function (one) {
            if (typeof one !== "number" && typeof one !== "string") { Model.error("outlet of a " + typeof one); return "" + one; }
            return one;
        })]);
    };
    host.post = function () { posted.push(Array.prototype.join.call(arguments, " ")); };
    host.messnamed = function () { named.push(Array.prototype.slice.call(arguments)); };
    host.arrayfromargs = function (a) { return Array.prototype.slice.call(a); };
    host.max = Model.strict({ os: Model.os }, "max");
    ["Model", "objects", "devices", "files", "lom", "window", "console", "setTimeout", "require"].forEach(function (name) {
        host[name] = undefined;
    });
    names = Object.keys(host);
    run = Function.apply(null, names.concat([
        "var messagename = '', autowatch, inlets, outlets;\n" + source + "\n; return {" +
        "outlets: function () { return outlets; }, named: function (n) { messagename = n; }," +
        "find: function (n) { try { return eval(n); } catch (e) { return undefined; } } };"
    ]));
    device.outlets = function () { return 99; };
    device.script = run.apply(this, names.map(function (name) { return host[name]; }));
    device.outlets = device.script.outlets;
    return device;
};
Model.os = "linux";
Model.renamed = "";
Model.refuse = "";
Model.file = function (device, path, access) {
    var write = access === "write", opened = write ? folders[path.replace(/\/[^\/]*$/, "")] === 1 : path in files;
    var text = "", bytes = files[path] || "", self;
    self = {
        isopen: opened ? 1 : 0, position: 0, eof: write ? 0 : bytes.length,
        readbytes: function (n) {
            var some = [], i;
            if (n > 16384) { Model.error("File.readbytes of more than Max gives"); }
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
            if (write && self.isopen) { device.written.push([path, text]); files[path] = text; }
            self.isopen = 0;
        }
    };
    return Model.strict(self, "File");
};
Model.message = function (number, name, args) {
    var script = devices[number].script, fn = script.find(name.charAt(0) === "/" ? "anything" : name);
    turn += 1;
    script.named(name);
    if (typeof fn !== "function" || fn.local) { Model.error("no function " + name); return; }
    fn.apply(null, args);
};
Model.advance = function (number, now_ms) {
    var s = objects[Model.song].props, tasks = devices[number].tasks, i, task;
    if (Model.jump && Model.jump.turn < turn) {
        s.current_song_time = Model.jump.beat;
        Model.jump = null;
    }
    if (Model.play && Model.play < turn) {
        s.is_playing = 1;
        Model.play = 0;
    }
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
Model.take = function (number) {
    var device = devices[number], all = JSON.stringify({ sent: device.sent, written: device.written });
    device.sent = [];
    device.written = [];
    return all;
};
