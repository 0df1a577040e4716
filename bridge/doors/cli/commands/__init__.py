"""One file a subcommand; the table in `bridge.doors.cli.app` names them."""
