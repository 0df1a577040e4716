-- @noindex
--[[ Chords in Harte's syntax as musicians write them: "E:min7/b3" is "Em7/G". The same rules as bridge.returns.chord_names. ]]
local M = {}

local PITCH = { C = 0, D = 2, E = 4, F = 5, G = 7, A = 9, B = 11 }
local SUFFIX = {
	maj = "", min = "m", ["7"] = "7", maj7 = "maj7", min7 = "m7", minmaj7 = "m(maj7)", maj6 = "6", min6 = "m6", dim = "dim",
	dim7 = "dim7", hdim7 = "m7b5", aug = "aug", sus2 = "sus2", sus4 = "sus4", ["9"] = "9", maj9 = "maj9", min9 = "m9",
	["5"] = "5", ["1"] = "",
}
local DEGREE = { ["1"] = 0, ["2"] = 2, ["3"] = 4, ["4"] = 5, ["5"] = 7, ["6"] = 9, ["7"] = 11 }
local SHARPS = { [0] = "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B" }
local FLATS = { [0] = "C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B" }

local function count(text, sign)
	return select(2, text:gsub(sign, ""))
end

--- Return the name for people; "" for no chord.
function M.name(label)
	if not PITCH[label:sub(1, 1)] then return "" end
	local chord, bass = label:match("^([^/]*)/?(.*)$")
	local root, quality = chord:match("^([^:]*):?(.*)$")
	local shorthand = quality:match("^[^(]*")
	local name = root .. (SUFFIX[shorthand] or shorthand)
	local degree = bass:gsub("^[#b]+", "")
	if not DEGREE[degree] or bass == "1" then return name end
	local pitch = PITCH[root:sub(1, 1)] + count(root, "#") - count(root, "b")
	pitch = (pitch + DEGREE[degree] + count(bass, "#") - count(bass, "b")) % 12
	local has_flats = root:find("b", 2, true) or root == "F" or bass:find("b", 1, true)
	return name .. "/" .. (has_flats and FLATS or SHARPS)[pitch]
end

return M
