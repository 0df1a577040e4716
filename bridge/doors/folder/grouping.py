"""Which finished files are one job: a file by itself, or the stems of a song that were rendered together.

Stems belong together if they lie in one folder, their names speak of the same song, and they came close in time: the
group is complete when each of its files is finished and none has changed or come for the group's quiet time. A DAW that
exports one track after the other keeps the group open, since the next file is there and growing by then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from bridge.doors.folder.names import StemName, stem_name
from bridge.doors.folder.settling import Candidate, State


def group_quiet_s(settle_s: float) -> float:
    """Return for how long a group of stems must be quiet."""
    return max(2 * settle_s, settle_s + 1.0)


def complete_groups(
    candidates: Iterable[Candidate], now: float, quiet_s: float
) -> tuple[list[list[Candidate]], float | None]:
    """Return the groups that may be taken now, and when the next one may be (None if that is not known)."""
    by_song: dict[tuple[str, str], list[tuple[Candidate, StemName]]] = defaultdict(list)
    groups: list[list[Candidate]] = []
    for candidate in candidates:
        stem = stem_name(candidate.path.name)
        if stem is None:
            if candidate.state is State.READY:
                groups.append([candidate])
        else:
            by_song[str(candidate.path.parent), stem.song].append((candidate, stem))
    due: list[float] = []
    for members in by_song.values():
        quiet_at = max(candidate.changed_at for candidate, _ in members) + quiet_s
        if any(candidate.state is not State.READY for candidate, _ in members):
            continue
        if now >= quiet_at:
            groups.extend(_by_number(members))
        else:
            due.append(quiet_at)
            for candidate, _ in members:
                candidate.reason = "Finished; waiting for more stems of the same song."
    return groups, min(due, default=None)


def _by_number(members: list[tuple[Candidate, StemName]]) -> list[list[Candidate]]:
    """Split by the number before the role where it counts songs ("Take 7 Drums") and not tracks ("Song-03-Drums")."""
    counts = Counter(stem.number for _, stem in members)
    if len(counts) > 1 and max(counts.values()) > 1:
        split: dict[str, list[Candidate]] = defaultdict(list)
        for candidate, stem in members:
            split[stem.number].append(candidate)
        return list(split.values())
    return [[candidate for candidate, _ in members]]
