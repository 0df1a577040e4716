"""The routes of systems that this one takes over: their paths, fields and words, thinly adapted. One file a system."""
