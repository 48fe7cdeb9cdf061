"""When a turn that was put off moves up a lane, so that it does not miss its deadline."""

TIGHT = 0.8
"""A turn whose wait fills this part of the time left is in danger."""


def moves_up(*, wait_seconds: float, higher_wait_seconds: float, left_seconds: float) -> bool:
    """True when the turn would be late, or nearly, where it stands, and sooner in the next higher lane.

    A higher lane shares equally between tenants, so those who move up slow it down no more than one tenant more.

    Args:
        wait_seconds: Until it is due where it stands.
        higher_wait_seconds: Until it would be due at the end of its tenant's flow in the next higher lane.
        left_seconds: Time until its deadline.
    """
    return wait_seconds > TIGHT * left_seconds and higher_wait_seconds < wait_seconds
