"""Draws the windows of REAPER's scripts for docs/reaper.md: `python -m tests.reaper.make_pictures docs/pictures`.

The scripts run in the model of REAPER with a stand-in for the daemon; the pictures are painted from their `gfx` calls.
"""

import sys
import tempfile
from pathlib import Path

from tests.reaper.studio import StandIn, Studio, song_file


def main(target: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        song = song_file(folder / "song.wav", bars=8)
        studio = Studio(folder / "desk", folder / "nrx")
        bridge = StandIn(folder / "nrx")
        studio.reaper.each_cycle(bridge.cycle)
        project = studio.reaper.new_project("Night drive")
        for name in ("Lead vox", "Drums", "Rhodes"):
            project.add_audio(project.add_track(name, selected=True), song, 4.0)
        script = studio.run("Remix selected track")
        studio.press(script, "tab", "tab", "tab", "down")
        script.window.save_picture(target / "reaper-remix.png")
        bridge.hold = True
        studio.press(script, "enter")
        studio.reaper.step(3.0)
        for job_id in list(bridge.requests):
            bridge.say(job_id, state="running", fraction=0.44, message="Generating: 44%, about 38 s left.")
        studio.reaper.step(1.0)
        script.window.save_picture(target / "reaper-progress.png")
        bridge.hold = False
        studio.reaper.step(6.0)
        project.select(project.track("Lead vox"))
        studio.go("Separate selected track into stems")
        studio.reaper.step(6.0)
        bridge.hold = True
        studio.go("Generate variation of selected track")
        studio.reaper.step(3.0)
        jobs = studio.run("Show NRX jobs")
        studio.reaper.step(1.0)
        jobs.window.save_picture(target / "reaper-jobs.png")
        studio.press(jobs, "escape")
        project.select(project.track("Drums"), project.track("Rhodes"))
        mix = studio.run("Mix selected tracks")
        studio.press(mix, "tab", "tab", "tab", "left")
        mix.window.save_picture(target / "reaper-mix.png")
        studio.reaper.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
