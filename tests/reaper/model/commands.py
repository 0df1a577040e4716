"""The action list: scripts that are registered, their ids, and `reaper-kb.ini`."""

import hashlib
from pathlib import Path

FIRST_ID = 50000


class Commands:
    """Registered scripts of the main section. Ids are per run of REAPER; names (`RS…`) stay."""

    def __init__(self, resource_path: Path) -> None:
        self._scripts = resource_path / "Scripts"
        self._file = resource_path / "reaper-kb.ini"
        self._by_name: dict[str, Path] = {}
        self._ids: dict[int, str] = {}
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.is_file() else []
        for line in lines:
            if line.startswith("SCR "):
                name = line.split(" ")[3]
                self._add(name, self._scripts / line.rsplit('"', 2)[1])

    def _add(self, name: str, path: Path) -> int:
        if name not in self._by_name:
            self._ids[FIRST_ID + len(self._ids)] = name
        self._by_name[name] = path
        return self.lookup("_" + name)

    def add(self, path: Path, *, commit: bool) -> int:
        """Register a script and return its id, 0 if there is no such file."""
        if not path.is_file():
            return 0
        known = next((name for name, other in self._by_name.items() if other == path), None)
        name = known or "RS" + hashlib.sha1(str(path).encode()).hexdigest()
        command = self._add(name, path)
        if commit:
            self._write()
        return command

    def remove(self, path: Path, *, commit: bool) -> int:
        """Forget a script; return the id that it had, 0 if none."""
        name = next((name for name, other in self._by_name.items() if other == path), None)
        if name is None:
            return 0
        command = self.lookup("_" + name)
        del self._by_name[name], self._ids[command]
        if commit:
            self._write()
        return command

    def lookup(self, name: str) -> int:
        """Return the id of `_NAME`, 0 if there is none."""
        return next((number for number, known in self._ids.items() if "_" + known == name), 0)

    def name_of(self, command: int) -> str | None:
        """Return the name of an id, without the underscore."""
        return self._ids.get(command)

    def path_of(self, command: int) -> Path | None:
        """Return the script of an id."""
        name = self._ids.get(command)
        return self._by_name[name] if name else None

    def id_of(self, path: Path) -> int:
        """Return the id of a script, 0 if it is not registered."""
        return next((number for number, name in self._ids.items() if self._by_name[name] == path), 0)

    def _write(self) -> None:
        old = self._file.read_text(encoding="utf-8").splitlines() if self._file.is_file() else []
        lines = [line for line in old if not line.startswith("SCR ")]
        for name, path in self._by_name.items():
            inside = path.is_relative_to(self._scripts)
            shown = path.relative_to(self._scripts).as_posix() if inside else str(path)
            lines.append(f'SCR 4 0 {name} "Custom: {path.name}" "{shown}"')
        self._file.write_text("\n".join(lines) + "\n", encoding="utf-8")
