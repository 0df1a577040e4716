--[[ Ardour drops a script for good when it raises an error, and shows it only in its log. So nothing gets past here. ]]
local files, dialogs = require ("files"), require ("dialogs")

local M = {}

--- Run `action`; an error is told in a message and appended to `log_path`.
function M.run (log_path, action, ...)
	local ok, trouble = pcall (action, ...)
	if ok then return end
	files.append (log_path, os.date ("%Y-%m-%d %H:%M:%S ") .. tostring (trouble) .. "\n")
	dialogs.tell ("Something went wrong: " .. tostring (trouble), true)
end

return M
