"""What was edited, to undo and redo: an immutable line of moments with one that is now."""

from dataclasses import dataclass, replace

from foxnas_core.space.architecture import Architecture

# Moments that are kept; the oldest go first.
MOST = 200


@dataclass(frozen=True)
class Moment:
    """An architecture, and the one that its edits are held against."""

    architecture: Architecture
    start: Architecture


@dataclass(frozen=True)
class History:
    """Moments in order, of which the one at `position` is now; those after it were undone."""

    moments: tuple[Moment, ...]
    position: int = 0

    @classmethod
    def begin(cls, architecture: Architecture, start: Architecture | None = None) -> "History":
        return cls((Moment(architecture, start or architecture),))

    @property
    def now(self) -> Moment:
        return self.moments[self.position]

    @property
    def can_undo(self) -> bool:
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        return self.position < len(self.moments) - 1

    def then(self, architecture: Architecture, start: Architecture | None = None) -> "History":
        """The history with another moment after now, of the same start unless one is given.

        What was undone is forgotten; a moment that changes nothing is none.
        """
        moment = Moment(architecture, start or self.now.start)
        if moment == self.now:
            return self
        kept = (*self.moments[: self.position + 1], moment)[-MOST:]
        return History(kept, len(kept) - 1)

    def undo(self) -> "History":
        """One moment back; itself at the first."""
        return replace(self, position=max(0, self.position - 1))

    def redo(self) -> "History":
        """One moment on; itself at the last."""
        return replace(self, position=min(len(self.moments) - 1, self.position + 1))

    def path(self) -> tuple[Architecture, ...]:
        """From the start over each edit to the present architecture, both included.

        It begins where the start was last left. Edits that are kept no more are one step.
        """
        start = self.now.start
        steps: list[Architecture] = []
        for moment in reversed(self.moments[: self.position + 1]):
            if moment.start != start:
                break
            steps.append(moment.architecture)
            if moment.architecture == start:
                return tuple(reversed(steps))
        return (start, *reversed(steps))
