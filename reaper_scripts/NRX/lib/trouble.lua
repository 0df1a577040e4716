-- @noindex
--[[ What went wrong: one sentence for the user where we know it, else the place in the code for a report.

`refuse (sentence)` raises what the user can do something about; everything else that is raised is a mistake of ours.
]]
local files, places = require("files"), require("places")

local M = {}

local Refusal = {}
Refusal.__index = Refusal
Refusal.__tostring = function(self) return self.sentence end

--- End what is being done with a sentence for the user.
function M.refuse(sentence, ...)
	error(setmetatable({ sentence = select("#", ...) > 0 and sentence:format(...) or sentence }, Refusal), 0)
end

--- Return the sentence of a refusal, or nil for any other error.
function M.sentence_of(problem)
	return getmetatable(problem) == Refusal and problem.sentence or nil
end

--- For xpcall: keep a refusal, add to anything else where it happened.
function M.with_place(problem)
	if M.sentence_of(problem) then return problem end
	return debug.traceback(tostring(problem), 2)
end

--- Show a problem and wait for OK; an error of ours is also written to the log.
function M.tell(problem)
	local sentence = M.sentence_of(problem)
	if not sentence then
		local log = places.log_file()
		files.append(log, os.date("%Y-%m-%d %H:%M:%S ") .. tostring(problem) .. "\n")
		sentence = ("NRX Bridge stopped because of an error of its own; nothing of yours was changed.\n\n%s\n\nMore is in %s.")
			:format(tostring(problem):match("^[^\n]*"), log)
	end
	reaper.MB(sentence, "NRX Bridge", 0)
end

return M
