"""The HTTP door: FastAPI and uvicorn on loopback; the console, the native routes, and those of older systems."""
