"""Where a certificate stands in its life, and how long that life may be."""

from datetime import UTC, datetime, timedelta
from enum import Enum

from tlslint.record import dataclass

WARN_DAYS = 30
ERROR_DAYS = 7
_SHARE_OF_LIFETIME = 3
_CLOCK_SKEW = timedelta(hours=1)

# CA/Browser Forum, Baseline Requirements section 6.3.2: certificates issued on or after the date live at most so long
_MAXIMUM_LIFETIMES = (
    (datetime(2029, 3, 15, tzinfo=UTC), 47),
    (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2026, 3, 15, tzinfo=UTC), 200),
    (datetime(2020, 9, 1, tzinfo=UTC), 398),
    (datetime(2018, 3, 1, tzinfo=UTC), 825),
)


class State(Enum):
    """Where `now` falls in a validity period."""

    NOT_YET_VALID = "not yet valid"
    VALID = "valid"
    EXPIRING = "expiring"
    """Less is left than the days that warn, or than a third of the lifetime where that is shorter."""
    EXPIRING_SOON = "expiring soon"
    """Less is left than the days that are an error, or than a third of the lifetime where that is shorter."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Life:
    """A validity period at one moment.

    `left` is negative after the end. `clock_skew` is whether it begins within the next hour, so that a clock that is
    slow by minutes is the likely cause; `until_valid` is how long that takes (zero once it has begun).
    """

    state: State
    lifetime: timedelta
    left: timedelta
    until_valid: timedelta
    clock_skew: bool

    @property
    def days_left(self) -> int:
        """Whole days left, rounded down; negative after the end."""
        return self.left.days


def life(
    not_before: datetime,
    not_after: datetime,
    now: datetime,
    *,
    warn_days: float = WARN_DAYS,
    error_days: float = ERROR_DAYS,
) -> Life:
    """Return where `now` falls between two aware datetimes.

    Both limits are never more than a third of the lifetime, so that a certificate of six days is not always expiring.
    """
    lifetime = lifetime_of(not_before, not_after)
    left = not_after - now
    until_valid = max(not_before - now, timedelta(0))
    return Life(
        state=_state(left, until_valid, lifetime / _SHARE_OF_LIFETIME, warn_days, error_days),
        lifetime=lifetime,
        left=left,
        until_valid=until_valid,
        clock_skew=timedelta(0) < until_valid <= _CLOCK_SKEW,
    )


def _state(left: timedelta, until_valid: timedelta, share: timedelta, warn_days: float, error_days: float) -> State:
    if left < timedelta(0):  # notAfter itself is the last valid second
        return State.EXPIRED
    if until_valid:
        return State.NOT_YET_VALID
    if left < min(timedelta(days=error_days), share):
        return State.EXPIRING_SOON
    if left < min(timedelta(days=warn_days), share):
        return State.EXPIRING
    return State.VALID


def lifetime_of(not_before: datetime, not_after: datetime) -> timedelta:
    """Return how long a certificate lives: both ends belong to its life (RFC 5280 section 4.1.2.5)."""
    return not_after - not_before + timedelta(seconds=1)


def maximum_lifetime(issued: datetime) -> timedelta | None:
    """Return how long a public certificate issued at that time may live; None for times before there was a rule."""
    return next((timedelta(days=days) for since, days in _MAXIMUM_LIFETIMES if issued >= since), None)


def excess_lifetime(not_before: datetime, not_after: datetime) -> timedelta:
    """Return by how much a public certificate outlives the maximum of its issue date; zero when it does not."""
    maximum = maximum_lifetime(not_before)
    if maximum is None:
        return timedelta(0)
    return max(lifetime_of(not_before, not_after) - maximum, timedelta(0))
