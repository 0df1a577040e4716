"""What went wrong: `Refused` inside a call, `Failures` for the whole test."""


class Refused(Exception):  # noqa: N818 - it is what REAPER does, not a mistake of the model
    """A call that REAPER would refuse, crash on, or answer with a window that nobody expects."""


class ReaperFailureError(AssertionError):
    """What a test fails with: all failures of its model."""


class Failures(list[str]):
    """All that a script did wrong, in order; nothing is forgotten because the script caught the error."""

    def raise_if_any(self) -> None:
        """Fail the test if there is one."""
        if self:
            raise ReaperFailureError("\n".join(["REAPER would not have taken this:", *self]))
