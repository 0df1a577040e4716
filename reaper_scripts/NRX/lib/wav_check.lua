-- @noindex
--[[ Is this WAV what was asked for? Its format, its length, and whether there is sound in it.

Formats: RIFF and RF64 (EBU Tech 3306) with PCM of 16, 24, 32 bit or 32-bit float. Nothing here needs REAPER.
]]
local M = {}

local PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
local BLOCK_BYTES = 1 << 20
local STRIDE = 7 -- one of so many samples is looked at
local SILENCE = 1e-5 -- -100 dBFS

local READERS = {
	[PCM .. "/16"] = { "<i2", 2, 32768.0 },
	[PCM .. "/24"] = { "<i3", 3, 8388608.0 },
	[PCM .. "/32"] = { "<i4", 4, 2147483648.0 },
	[FLOAT .. "/32"] = { "<f", 4, 1.0 },
}

--- Return the length of a file in bytes, or nil if there is none.
function M.bytes(path)
	local file = io.open(path, "rb")
	if not file then return nil end
	local size = file:seek("end")
	file:close()
	return size
end

local function read_format(body)
	local format, channels, rate, _, frame_bytes, bits = string.unpack("<I2I2I4I4I2I2", body)
	if format == EXTENSIBLE and #body >= 26 then format = string.unpack("<I2", body, 25) end
	return { format = format, channels = channels, sample_rate = rate, frame_bytes = frame_bytes, bits = bits }
end

--- Return { format, channels, sample_rate, bits, frames, data_at, data_bytes } of a WAV, or nil and what is wrong.
function M.header(path)
	local file = io.open(path, "rb")
	if not file then return nil, "there is no file" end
	local size = file:seek("end")
	file:seek("set")
	local head = file:read(12)
	local found, long_bytes
	if not head or #head < 12 or not (head:find("^RIFF") or head:find("^RF64")) or head:sub(9) ~= "WAVE" then
		file:close()
		return nil, "it is not a WAV file"
	end
	while true do
		local tag = file:read(8)
		if not tag or #tag < 8 then break end
		local name, length = string.unpack("<c4I4", tag)
		local at = file:seek()
		if name == "ds64" then
			long_bytes = select(2, string.unpack("<I8I8", file:read(16) or ("\0"):rep(16)))
		elseif name == "fmt " then
			local body = file:read(length)
			if body and #body >= 16 then found = read_format(body) end
		elseif name == "data" and found then
			if length == 0xFFFFFFFF then length = long_bytes or size - at end
			found.data_at, found.data_bytes = at, math.min(length, size - at)
			found.is_whole = at + length <= size
			found.frames = found.data_bytes // math.max(1, found.frame_bytes)
			break
		end
		file:seek("set", at + length + length % 2)
	end
	file:close()
	if not found or not found.data_at then return nil, "it has no audio yet" end
	return found
end

--- Return whether there is sound in the file that `header` is of: any sample above -100 dBFS among those looked at.
function M.sounds(path, header)
	local reader = READERS[header.format .. "/" .. header.bits]
	local file = reader and io.open(path, "rb")
	if not file then return false end
	local format, bytes, full = table.unpack(reader)
	file:seek("set", header.data_at)
	local left, has_sound = header.data_bytes, false
	while left > 0 and not has_sound do
		local block = file:read(math.min(BLOCK_BYTES * bytes, left))
		if not block or #block == 0 then break end
		left = left - #block
		if block:find("[^%z]") then
			for at = 1, #block - bytes + 1, bytes * STRIDE do
				local sample = string.unpack(format, block, at)
				if math.abs(sample) > SILENCE * full then
					has_sound = true
					break
				end
			end
		end
	end
	file:close()
	return has_sound
end

return M
