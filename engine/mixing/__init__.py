"""The console: levels, ducking and the sum."""
