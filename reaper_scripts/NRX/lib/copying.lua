-- @noindex
--[[ Copies a return's files into the project's media folder, a slice a tick, so that REAPER stays usable.

`M.copy` must run in a coroutine. Files that are there already with the same length are kept, so that importing again
copies nothing twice; nothing else is ever replaced.
]]
local places = require("places")
local refuse = require("trouble").refuse
local wav_check = require("wav_check")

local M = {}

local SLICE_BYTES = 8 << 20

local function copy_one(from, to)
	local input = io.open(from, "rb")
	if not input then refuse("The file %s of the return is gone; run the job again.", from) end
	local draft = to .. ".part"
	local output, why = io.open(draft, "wb")
	local failed = not output and why or nil
	while not failed do
		local block = input:read(SLICE_BYTES)
		if not block then break end
		local written, problem = output:write(block)
		if not written then failed = problem end
		coroutine.yield()
	end
	input:close()
	if output then
		local closed, problem = output:close()
		failed = failed or (not closed and problem or nil)
	end
	if not failed and wav_check.bytes(draft) ~= wav_check.bytes(from) then failed = "not all of it could be written" end
	if not failed then
		local renamed, problem = os.rename(draft, to)
		failed = not renamed and problem or nil
	end
	if failed then
		os.remove(draft)
		refuse("The return cannot be copied to %s (%s); make room there, then import it in “NRX: Show NRX jobs”.", to, failed)
	end
end

--- Return `text` as the name of a file on every system.
function M.safe_name(text)
	local name = text:gsub('[%c/\\:*?"<>|]', "_"):gsub("^[%s.]+", ""):gsub("[%s.]+$", "")
	while #name > 80 do name = name:sub(1, utf8.offset(name, -1) - 1) end
	return name ~= "" and name or "NRX"
end

--- Copy the files of `rows` (each with `path` and `file`) into `folder`; sets each row's `path` to its copy.
function M.copy(rows, folder)
	if #rows == 0 then return end
	if not places.make(folder) then
		refuse("The folder %s cannot be written; make it writable, then import in “NRX: Show NRX jobs”.", folder)
	end
	for _, row in ipairs(rows) do
		local target = folder .. "/" .. M.safe_name(row.file:match("[^/]+$"))
		if wav_check.bytes(target) ~= wav_check.bytes(row.path) then copy_one(row.path, target) end
		row.path = target
	end
end

return M
