--[[ A Broadcast Wave file, 32-bit float, written block by block from what Ardour can read.

Ardour keeps each channel in a mono file of the session's own format; NRX Bridge takes one file with all channels, and
its place on the timeline from the `bext` chunk (EBU Tech 3285). The samples come from `ARDOUR.Readable`, so any native
format of Ardour will do, and are written as they are.
]]
local M = {}

local BLOCK_FRAMES = 8192
local PACKED = 200 -- values per string.pack: well below the largest number of arguments
local LARGEST_BYTES = 4294967295 - 4096

local function chunk (kind, body)
	return kind .. string.pack ("<I4", #body) .. body
end

--- The opening of a file of `frames` frames that starts at `start_frame` of the timeline.
local function header (frames, channels, rate, start_frame, description)
	local data_bytes = 4 * channels * frames
	local bext = string.pack ("<c256 c32 c32 c10 c8 I8 I2", description:sub (1, 255), "NRX Bridge", "",
		os.date ("%Y-%m-%d"), os.date ("%H:%M:%S"), start_frame, 1) .. ("\0"):rep (254)
	local format = string.pack ("<I2 I2 I4 I4 I2 I2 I2", 3, channels, rate, 4 * channels * rate, 4 * channels, 32, 0)
	local opening = "WAVE" .. chunk ("bext", bext) .. chunk ("fmt ", format) .. chunk ("fact", string.pack ("<I4", frames))
	return "RIFF" .. string.pack ("<I4", #opening + 8 + data_bytes) .. opening .. "data" .. string.pack ("<I4", data_bytes)
end

--- The samples of one block, channels interleaved; `columns` has a table of numbers for each channel.
local function packed (columns, frames)
	local values, channels = {}, #columns
	for channel, column in ipairs (columns) do
		for i = 1, frames do values[(i - 1) * channels + channel] = column[i] end
	end
	local parts, whole = {}, "<" .. ("f"):rep (PACKED)
	for first = 1, #values, PACKED do
		local last = math.min (first + PACKED - 1, #values)
		local layout = last - first + 1 == PACKED and whole or "<" .. ("f"):rep (last - first + 1)
		parts[#parts + 1] = string.pack (layout, table.unpack (values, first, last))
	end
	return table.concat (parts)
end

--- Write `region` (an ARDOUR.Region that holds audio) to `path`, its own fades and gain left aside.
-- what: { rate = Hz, start_frame = on the timeline, description = text }
-- tell(fraction) is called after each block; returning true ends the work.
-- Returns true, or false and why not; nothing is left behind then.
function M.write (path, region, what, tell)
	local audio = region:to_audioregion ()
	local channels, frames = audio:n_channels (), region:length ():samples ()
	if 4 * channels * frames > LARGEST_BYTES then return false, "The track is too long for one WAV file (4 GB)." end
	local file, why = io.open (path, "wb")
	if not file then return false, why end
	local readable = audio:to_readable ()
	local memory = ARDOUR.DSP.DspShm (BLOCK_FRAMES)
	local block = memory:to_float (0)
	local written, problem = file:write (header (frames, channels, what.rate, what.start_frame, what.description))
	local at = 0
	while written and at < frames do
		local count, columns = math.min (BLOCK_FRAMES, frames - at), {}
		for channel = 1, channels do
			if readable:read (block, at, count, channel - 1) ~= count then
				written, problem = false, "Ardour could not read what it rendered."
				break
			end
			columns[channel] = block:get_table (count)
		end
		if written then written, problem = file:write (packed (columns, count)) end
		at = at + count
		if written and tell (at / frames) then written, problem = false, "cancelled" end
	end
	local closed, late = file:close ()
	if written and closed then return true end
	os.remove (path)
	return false, problem or late
end

return M
