"""The automatic mix, in steps that can be had one by one: listen, decide, render.

`listen_all` hears the stems, `make_session` decides (by the policy, or by the rules alone), `render` runs the desk and
brings the mix to its peak. A session that a person has changed is rendered by the same `render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

from engine.mixing.deciding.balance import equal_targets, heard_role, rule_targets
from engine.mixing.deciding.decide import Decision, decide
from engine.mixing.deciding.given import Given
from engine.mixing.deciding.reasons import Reasons
from engine.mixing.listening import StemFeatures, listen
from engine.mixing.listening.alignment import find_corrections
from engine.mixing.policy import load_policy
from engine.mixing.presets import MixPreset
from engine.mixing.reference import Reference, spread_towards, steered
from engine.mixing.roles import canonical_role, guess_role
from engine.mixing.stems import Stem
from engine.progress import SILENT, Monitor, shared_monitor
from engine.thrift import at_a_time

LISTENERS = 2
Policy = Literal["learned", "rules", "equal"]
DEFAULT_POLICY: Policy = "learned"
"""The best on songs held out (`benchmarks/mix_policy.py`)."""
WORTH_SAYING_DB = 0.5
MAX_SPREAD = 1.5


def role_of(stem: Stem) -> str:
    """Return a stem's role: as given, else as its name speaks."""
    given = canonical_role(stem.role) if stem.role is not None else None
    return given or guess_role(stem.name)


def listen_all(stems: Sequence[Stem], monitor: Monitor = SILENT) -> dict[str, StemFeatures]:
    """Return features by stem, two stems at a time; a role that was only guessed may give way to what is heard."""
    frames = max((stem.end_frame for stem in stems), default=0)
    shares = shared_monitor(monitor, len(stems))

    def hear(stem: Stem, share: Monitor) -> StemFeatures:
        features = listen(stem, role_of(stem), frames, share)
        return features if stem.role is not None else replace(features, role=heard_role(features))

    with ThreadPoolExecutor(at_a_time(LISTENERS), thread_name_prefix="nrx-listen") as pool:
        return dict(zip([stem.name for stem in stems], pool.map(hear, stems, shares), strict=True))


def make_session(
    heard: Mapping[str, StemFeatures],
    preset: MixPreset,
    given: Given,
    policy: Policy = DEFAULT_POLICY,
    reference: Reference | None = None,
) -> Decision:
    """Return the session that the policy decides on, steered by a reference where there is one, with its reasons."""
    stems = list(heard.values())
    reasons = Reasons()
    corrections = find_corrections(stems, keep_feel=preset.keep_feel)
    if policy == "equal":
        return decide(stems, equal_targets(stems), preset, given, corrections, reasons)
    targets = rule_targets(stems, preset.balance_db, reasons)
    if policy == "learned":
        for name, gain_db in load_policy().offsets(stems, targets).items():
            targets[name] += gain_db
            if abs(gain_db) >= WORTH_SAYING_DB:
                reasons.add("balance", name, _why(heard[name], gain_db))
    if reference is not None:
        targets = steered(stems, targets, reference, reasons)
        spread = min(MAX_SPREAD, preset.spread * spread_towards(stems, targets, reference))
        preset = preset.model_copy(update={"spread": spread})
        reasons.add(
            "width", "", f"spread {100 * spread:.0f} % of the roles' usual, towards the reference's width."
        )
    return decide(stems, targets, preset, given, corrections, reasons)


def _why(stem: StemFeatures, gain_db: float) -> str:
    side = "up" if gain_db > 0.0 else "down"
    return (
        f"{gain_db:+.1f} dB {side} from there by the learned policy, for how it stands among the others "
        f"(brightness {stem.brightness_db:+.1f} LU, crest {stem.crest_db:.0f} dB, active {100 * stem.activity:.0f} %)."
    )
