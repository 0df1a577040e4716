-- Reads JSON texts from a file, one a line, and says each again, or what is wrong with it: json.lua FOLDER MODULE TEXTS
local json = dofile (arg[2])
for line in io.lines (arg[3]) do
	local value, why = json.decode (line)
	if value == nil then print ("NRX refused\t" .. why) else print ("NRX " .. json.encode (value)) end
end
