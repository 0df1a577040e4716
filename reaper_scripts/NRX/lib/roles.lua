-- @noindex
--[[ Which role a track plays, guessed from its name; the user can correct it. The words are those of the engine. ]]
local M = {}

M.ALL = {
	"vocals", "backing_vocals", "drums", "kick", "snare", "hats", "percussion", "bass", "guitar", "keys", "chords", "synth",
	"pad", "arp", "lead", "strings", "brass", "fx", "noise",
	"other",
}

-- The later a word ends in the name, the more it says; of words that end together the longer one counts.
local WORDS = {
	vocals = { "vocal", "vocals", "vox", "voice", "lead vocal", "lead vox", "lead voice", "singer", "sing", "rap", "acapella" },
	backing_vocals = {
		"backing vocal", "backing vocals", "background vocals", "bgv", "bgvs", "bv", "bvs", "harmony", "harmonies", "choir",
		"doubles", "adlibs", "backing vox",
	},
	kick = { "kick", "kicks", "bd", "bass drum", "808 kick" },
	snare = { "snare", "snares", "sn", "sd", "rim", "clap", "claps", "snare drum" },
	hats = { "hat", "hats", "hihat", "hi hat", "hh", "cymbal", "cymbals", "ride", "crash", "overhead", "overheads", "oh" },
	percussion = {
		"perc", "percs", "percussion", "shaker", "tambourine", "conga", "congas", "bongo", "bongos", "tom", "toms", "cowbell",
	},
	drums = { "drum", "drums", "kit", "drum kit", "drum loop", "beat", "beats", "break", "room", "rooms", "loop" },
	bass = { "bass", "bassline", "sub", "808", "808s", "sub bass", "synth bass", "contrabass" },
	guitar = { "guitar", "guitars", "gtr", "gtrs", "git", "lead guitar", "banjo", "ukulele", "mandolin" },
	strings = { "string", "strings", "violin", "viola", "cello", "celli", "orchestra", "harp", "pizz" },
	brass = { "brass", "horn", "horns", "trumpet", "trombone", "sax", "saxophone", "flute", "clarinet" },
	keys = { "key", "keys", "piano", "rhodes", "wurli", "organ", "ep", "electric piano", "clav", "bell", "bells", "vibes" },
	pad = { "pad", "pads", "atmo", "atmosphere", "ambience", "drone", "texture" },
	arp = { "arp", "arps", "sequence", "seq", "pluck", "plucks" },
	lead = { "lead", "leads", "solo", "melody", "hook" },
	chords = { "chord", "chords", "stab", "stabs", "comp" },
	synth = { "synth", "synths", "syn" },
	fx = { "fx", "sfx", "riser", "risers", "impact", "sweep", "white noise", "pink noise", "foley" },
	noise = { "noise", "hiss", "vinyl", "crackle", "room tone", "hum" },
}

--- Return a name as words: lower case, parted where the case, a digit or a sign changes.
local function words_of(name)
	local spaced = name:gsub("(%l)(%u)", "%1 %2"):gsub("(%a)(%d)", "%1 %2"):lower()
	return " " .. spaced:gsub("[^%w]+", " "):gsub("^ +", ""):gsub(" +$", "") .. " "
end

--- Return the role that a track's name speaks of, "other" where it says nothing.
function M.guess(name)
	local said, best = words_of(name), { stop = 0, length = 0, role = "other" }
	for _, role in ipairs(M.ALL) do
		for _, word in ipairs(WORDS[role] or {}) do
			local from = 1
			while true do
				local start, stop = said:find(" " .. word .. " ", from, true)
				if not start then break end
				if stop > best.stop or (stop == best.stop and #word > best.length) then
					best = { stop = stop, length = #word, role = role }
				end
				from = start + 1
			end
		end
	end
	return best.role
end

return M
