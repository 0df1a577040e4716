"""What the extension SWS brings, for scripts that use it where it is there."""

from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Track


@offers("SNM_GetIntConfigVar")
def int_config(script: Script, name: str, otherwise: int) -> int:
    value = script.reaper.config.get(name, "")
    return int(value) if value.lstrip("-").isdigit() else otherwise


@offers("SNM_SetIntConfigVar")
def set_int_config(script: Script, name: str, value: int) -> bool:
    if name not in script.reaper.config:
        return False
    script.reaper.config[name] = str(value)
    return True


@offers("BR_GetMediaTrackByGUID")
def track_by_guid(_script: Script, project: Project, guid: str) -> Track | None:
    return next((track for track in project.tracks if track.guid == guid), None)


@offers("CF_GetSWSVersion")
def sws_version(_script: Script) -> str:
    return "2.14.0.3"
