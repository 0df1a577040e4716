"""Extension state: SetExtState, kept in `reaper-extstate.ini` where it is persistent."""

from pathlib import Path

from tests.reaper.model.failures import Refused


class ExtState:
    """Sections of keys; what is persistent is on disk at once and is there after a restart."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[tuple[str, str], str] = self._read()
        self._values = dict(self._kept)

    def get(self, section: str, key: str) -> str:
        """Return a value, "" if there is none."""
        return self._values.get((section, key), "")

    def has(self, section: str, key: str) -> bool:
        """Return whether there is a value."""
        return (section, key) in self._values

    def set(self, section: str, key: str, value: str, persist: bool) -> None:
        """Set a value."""
        if persist and ("\n" in value or "\r" in value):
            raise Refused("a persistent value must not hold line breaks")
        if not section or not key or set(section + key) & set("=[]\r\n"):
            raise Refused(f"section {section!r} and key {key!r} cannot be kept in an ini file")
        self._values[section, key] = value
        if persist:
            self._kept[section, key] = value
            self._write()

    def delete(self, section: str, key: str, persist: bool) -> None:
        """Delete a value; only `persist` deletes what was kept."""
        self._values.pop((section, key), None)
        if persist and self._kept.pop((section, key), None) is not None:
            self._write()

    def _read(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        section = ""
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.is_file() else []
        for line in lines:
            if line.startswith("["):
                section = line[1:-1]
            elif "=" in line:
                key, _, value = line.partition("=")
                found[section, key] = value
        return found

    def _write(self) -> None:
        lines: list[str] = []
        for section in dict.fromkeys(section for section, _ in self._kept):
            lines.append(f"[{section}]")
            lines += [f"{key}={value}" for (other, key), value in self._kept.items() if other == section]
            lines.append("")
        self._file.write_text("\n".join(lines), encoding="utf-8")
