-- @noindex
-- Made by reaper_scripts/build.py from daw_lua; change it there.
--[[ JSON (RFC 8259) for DAW scripts: plain Lua 5.3 and 5.4, no library.

Objects become tables with string keys, arrays tables from 1. null is left out of objects, and `json.null` in
arrays. When writing, a table with a first element, or one marked by `json.array`, is an array; all others are
objects, with their keys in order. Numbers are written with 17 digits and a point, whatever the locale says.
decode(text) returns the value, or nil and what is wrong with the text.
]]
local M = {}

M.null = setmetatable ({}, { __tostring = function () return "null" end })

local is_array = {}

--- Mark a table as an array, so that it is written as [] also when it is empty.
function M.array (list)
	return setmetatable (list or {}, is_array)
end

local ESCAPES = {
	['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function quoted (text)
	return '"' .. text:gsub ('[%c"\\\127]', function (c)
		return ESCAPES[c] or string.format ("\\u%04x", c:byte ())
	end) .. '"'
end

local function number (value)
	if math.type (value) == "integer" then return string.format ("%d", value) end
	if value ~= value or value == math.huge or value == -math.huge then error ("JSON has no number for " .. value, 0) end
	return (string.format ("%.17g", value):gsub (",", "."))
end

local write

local function list (values)
	local parts = {}
	for i, value in ipairs (values) do parts[i] = write (value) end
	return "[" .. table.concat (parts, ",") .. "]"
end

local function object (fields)
	local names, parts = {}, {}
	for name in pairs (fields) do names[#names + 1] = name end
	table.sort (names)
	for i, name in ipairs (names) do parts[i] = quoted (name) .. ":" .. write (fields[name]) end
	return "{" .. table.concat (parts, ",") .. "}"
end

write = function (value)
	local kind = type (value)
	if value == M.null then return "null" end
	if kind == "string" then return quoted (value) end
	if kind == "number" then return number (value) end
	if kind == "boolean" then return tostring (value) end
	if kind ~= "table" then error ("JSON has no " .. kind, 0) end
	if value[1] ~= nil or getmetatable (value) == is_array then return list (value) end
	return object (value)
end

--- Return a value as JSON text. Raises an error for what JSON cannot hold.
function M.encode (value)
	return write (value)
end

local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local WORDS = { ["true"] = true, ["false"] = false, ["null"] = M.null }
local DEEPEST = 200

local function fail (at, what)
	error (string.format ("%s at byte %d", what, at), 0)
end

local function next_sign (text, at)
	return text:find ("[^ \t\r\n]", at) or #text + 1
end

--- One \uXXXX escape, or the two of a surrogate pair; `at` is that of the first hexadecimal digit.
local function code_point (text, at)
	local high = tonumber (text:match ("^%x%x%x%x", at) or fail (at, "a broken \\u"), 16)
	if high >= 0xD800 and high < 0xDC00 then
		local low = tonumber (text:match ("^\\u(%x%x%x%x)", at + 4) or "0", 16)
		if low >= 0xDC00 and low < 0xE000 then
			return utf8.char (0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00), at + 10
		end
	end
	if high >= 0xD800 and high < 0xE000 then high = 0xFFFD end
	return utf8.char (high), at + 4
end

local function read_string (text, at)
	local parts, from = {}, at + 1
	while true do
		local stop = text:find ('[%c"\\]', from) or fail (at, "a string without an end")
		parts[#parts + 1] = text:sub (from, stop - 1)
		local sign = text:sub (stop, stop)
		if sign == '"' then return table.concat (parts), stop + 1 end
		if sign ~= "\\" then
			if sign ~= "\127" then fail (stop, "a control character in a string") end
			parts[#parts + 1], from = sign, stop + 1
		else
			local letter = text:sub (stop + 1, stop + 1)
			if letter == "u" then
				parts[#parts + 1], from = code_point (text, stop + 2)
			else
				parts[#parts + 1] = UNESCAPES[letter] or fail (stop, "an unknown escape")
				from = stop + 2
			end
		end
	end
end

local function read_number (text, at)
	local digits = text:match ("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
	local value = digits and tonumber (digits)
	if not value or digits:find ("^-?0%d") or digits:find ("%.%f[^%d.]") or digits:find ("%.$") then
		fail (at, "no JSON value")
	end
	return value, at + #digits
end

local read

local function read_list (text, at, depth)
	local values = M.array ()
	at = next_sign (text, at + 1)
	if text:sub (at, at) == "]" then return values, at + 1 end
	while true do
		values[#values + 1], at = read (text, at, depth)
		at = next_sign (text, at)
		local sign = text:sub (at, at)
		if sign == "]" then return values, at + 1 end
		if sign ~= "," then fail (at, "an array without , or ]") end
		at = at + 1
	end
end

local function read_object (text, at, depth)
	local fields = {}
	at = next_sign (text, at + 1)
	if text:sub (at, at) == "}" then return fields, at + 1 end
	while true do
		at = next_sign (text, at)
		if text:sub (at, at) ~= '"' then fail (at, "an object without a name") end
		local name, value
		name, at = read_string (text, at)
		at = next_sign (text, at)
		if text:sub (at, at) ~= ":" then fail (at, "a name without :") end
		value, at = read (text, at + 1, depth)
		if value ~= M.null then fields[name] = value end
		at = next_sign (text, at)
		local sign = text:sub (at, at)
		if sign == "}" then return fields, at + 1 end
		if sign ~= "," then fail (at, "an object without , or }") end
		at = at + 1
	end
end

read = function (text, at, depth)
	if depth > DEEPEST then fail (at, "too many levels") end
	at = next_sign (text, at)
	local sign = text:sub (at, at)
	if sign == '"' then return read_string (text, at) end
	if sign == "{" then return read_object (text, at, depth + 1) end
	if sign == "[" then return read_list (text, at, depth + 1) end
	local word = text:match ("^%l+", at)
	if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
	return read_number (text, at)
end

--- Return the value of a JSON text; nil and a sentence where it is none. A byte order mark is skipped.
function M.decode (text)
	local start = text:sub (1, 3) == "\xEF\xBB\xBF" and 4 or 1
	local ok, value, after = pcall (read, text, start, 0)
	if not ok then return nil, tostring (value) end
	if next_sign (text, after) <= #text then return nil, string.format ("more than one value at byte %d", after) end
	return value
end

return M
