"""The web console: static files that the HTTP door serves at its loopback address; nothing here runs on the server.

`index.html` stands at `/`, everything else below `/console/`; the pages speak to the daemon by its HTTP interface
alone. There is no build step: what is here is what browsers get, ES modules as they are. `package.json` tells Node,
which runs the tests of the pure modules, that they are modules.
"""
