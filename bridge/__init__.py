"""NRX bridge: everything between the engine and the world (doors, jobs, returns, installers)."""
