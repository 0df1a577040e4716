-- @noindex
-- Made by reaper_scripts/build.py from daw_lua; change it there.
--[[ Whole files, for DAW scripts: read at once, and replaced by a rename, so that nobody sees half of one.

Paths are written with forward slashes on every system. Nothing here raises: nil or false says that it did not work.
]]
local M = {}

--- Return what a file holds, or nil.
function M.read (path)
	local file = io.open (path, "rb")
	if not file then return nil end
	local text = file:read ("a")
	file:close ()
	return text
end

--- Write a file under another name and rename it. Returns true, or false and why not.
function M.replace (path, text)
	local draft = path .. ".tmp"
	local file, why = io.open (draft, "wb")
	if not file then return false, why end
	local written, problem = file:write (text)
	local closed, late = file:close ()
	if not (written and closed) then
		os.remove (draft)
		return false, problem or late
	end
	local renamed, refusal = os.rename (draft, path)
	if not renamed then
		os.remove (path) -- where renaming does not replace
		renamed, refusal = os.rename (draft, path)
	end
	return renamed == true, refusal
end

--- Add text to the end of a file. Returns whether it could be.
function M.append (path, text)
	local file = io.open (path, "ab")
	if not file then return false end
	local written = file:write (text)
	return file:close () and written ~= nil
end

--- Return the last part of a path, and the part without its extension.
function M.name_of (path)
	local name = path:match ("[^/\\]+$") or path
	return name, name:match ("^(.+)%.[^.]*$") or name
end

return M
