"""Whether a trend is on, and where in its life it is: pure functions of the last bucket and of this one.

Rules: docstring of `radar.trends`, section 7.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Q_ON, LIFT_ON = 0.05, 1.5
Q_OFF, OFF_AFTER = 0.2, 6  # off only after this many buckets in a row above Q_OFF

HOLD = 2  # buckets in a row that must agree on a new stage
RISE, FALL = 1.1, 0.8  # lift or persons against before: what counts as going up, as going down


class Stage(StrEnum):
    """Where a trend is in its life."""

    EMERGING = "emerging"
    RISING = "rising"
    PEAKING = "peaking"
    FADING = "fading"
    STEADY = "steady"
    RECURRING = "recurring"
    INSUFFICIENT_HISTORY = "insufficient_history"


@dataclass(frozen=True)
class OnOff:
    """Hysteresis of many series at once, or of one: which are on, and for how many buckets q has been above Q_OFF.

    >>> one = OnOff.start(1).step([0.01], [3.0])
    >>> for _ in range(5):
    ...     one = one.step([0.9], [1.0])
    >>> one.on.tolist(), one.step([0.1], [1.0]).quiet.tolist(), one.step([0.9], [1.0]).on.tolist()
    ([True], [0], [False])
    """

    on: NDArray[np.bool_]
    quiet: NDArray[np.int16]

    @classmethod
    def start(cls, size: int) -> "OnOff":
        """Series (size,) that have never been on."""
        return cls(np.zeros(size, np.bool_), np.zeros(size, np.int16))

    def step(self, q: ArrayLike, lift: ArrayLike) -> "OnOff":
        """One bucket on: on at q <= 0.05 and lift >= 1.5, off once q was over 0.2 for six buckets in a row.

        q, lift  (size,) of this bucket, 1 where untested
        """
        q, lift = np.asarray(q, np.float64), np.asarray(lift, np.float64)
        starts = (q <= Q_ON) & (lift >= LIFT_ON)
        quiet = np.where(self.on & (q > Q_OFF), self.quiet + 1, 0).astype(np.int16)
        on = starts | (self.on & (quiet < OFF_AFTER))
        return OnOff(np.asarray(on), np.where(on, quiet, 0).astype(np.int16))

    def grown(self, size: int) -> "OnOff":
        """The same with series that have never been on appended, up to size."""
        more = OnOff.start(size - self.on.size)
        return OnOff(np.concatenate([self.on, more.on]), np.concatenate([self.quiet, more.quiet]))


@dataclass(frozen=True)
class Staged:
    """A stage, and the one that wants to follow: for how many buckets it has been asked for."""

    stage: Stage
    pending: Stage | None = None
    held: int = 0


def plain_stage(
    *, on: bool, lift: float, lift_before: float, observed: float, observed_before: float, age: int,
    young: int = 3, old: int = 28, recurring: bool = False, ready: bool = True,
) -> Stage:  # fmt: skip
    """The stage that this bucket alone speaks for; arguments as in `next_stage`. The first line that fits wins.

    not ready                                  insufficient_history
    off, or going down                         fading      (down: lift or observed at most 0.8 of before, neither up)
    recurring                                  recurring
    age < young                                emerging
    going up                                   rising      (up: lift or observed at least 1.1 of before, neither down)
    age >= old                                 steady
    otherwise                                  peaking
    """
    if not ready:
        return Stage.INSUFFICIENT_HISTORY
    if not on:
        return Stage.FADING
    lifted, grown = lift / max(lift_before, 1e-9), (observed + 0.5) / (observed_before + 0.5)
    down, up = lifted <= FALL or grown <= FALL, lifted >= RISE or grown >= RISE
    if down and not up:
        return Stage.FADING
    if recurring:
        return Stage.RECURRING
    if age < young:
        return Stage.EMERGING
    if up and not down:
        return Stage.RISING
    return Stage.STEADY if age >= old else Stage.PEAKING


def next_stage(
    previous: Staged | None, *, on: bool, lift: float, lift_before: float, observed: float, observed_before: float,
    age: int, young: int = 3, old: int = 28, recurring: bool = False, ready: bool = True,
) -> Staged:  # fmt: skip
    """One bucket on: `plain_stage`, taken over once two buckets in a row ask for it.

    previous  None for a new episode;        on     by `OnOff`
    lift, observed                           of this bucket's best window, and *_before of the same one bucket earlier
    age       buckets since the onset;       young, old  ages that end emerging and begin steady
    recurring it came the same week last year or stands in the season calendar;    ready  the warm-up has passed

    A new episode and one that had too little history take the first stage at once.

    >>> level = dict(on=True, lift=3.0, lift_before=3.0, observed=9, observed_before=9, age=5)
    >>> staged = next_stage(Staged(Stage.RISING), **level); staged.stage.value, staged.pending.value
    ('rising', 'peaking')
    >>> next_stage(staged, **level).stage.value
    'peaking'
    """
    wanted = plain_stage(
        on=on, lift=lift, lift_before=lift_before, observed=observed, observed_before=observed_before,
        age=age, young=young, old=old, recurring=recurring, ready=ready,
    )  # fmt: skip
    return Staged(wanted) if previous is None else following(previous, wanted)


def following(previous: Staged, wanted: Stage) -> Staged:
    """`next_stage` of a stage that `plain_stage` asks for."""
    if previous.stage is Stage.INSUFFICIENT_HISTORY or wanted is previous.stage:
        return Staged(wanted)
    held = previous.held + 1 if wanted is previous.pending else 1
    return Staged(wanted) if held >= HOLD else Staged(previous.stage, wanted, held)
