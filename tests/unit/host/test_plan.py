import pytest

from local.host.errors import HostError
from local.host.process.plan import Planned, plan_copies, plan_groups

KINDS = {
    "answer": "serviceBusTrigger",
    "chat": "httpTrigger",
    "drain": "serviceBusTrigger",
    "status": "httpTrigger",
    "sweep": "timerTrigger",
    "tidy": "timerTrigger",
}


def layout(*requests: str) -> dict[str, tuple[str, ...]]:
    return {one.label: one.functions or () for one in plan_groups(KINDS, requests)}


def test_groups_are_those_of_flex_consumption_and_timers_live_with_http() -> None:
    assert layout("http=2", "function:answer=3") == {
        "answer-1": ("answer",),
        "answer-2": ("answer",),
        "answer-3": ("answer",),
        "http-1": ("chat", "status", "sweep", "tidy"),
        "http-2": ("chat", "status"),
        "drain-1": ("drain",),
    }


def test_a_timer_that_is_named_is_a_group_by_itself() -> None:
    assert layout("function:sweep=1") == {
        "answer-1": ("answer",),
        "http-1": ("chat", "status", "tidy"),
        "drain-1": ("drain",),
        "sweep-1": ("sweep",),
    }


def test_without_http_every_timer_is_a_group_by_itself() -> None:
    assert layout("http=0", "function:answer=0") == {
        "drain-1": ("drain",),
        "sweep-1": ("sweep",),
        "tidy-1": ("tidy",),
    }
    assert plan_groups({"sweep": "timerTrigger"}, ["function:sweep=1"]) == [Planned("function:sweep", 1, ("sweep",))]


def test_a_bare_number_is_so_many_instances_of_everything() -> None:
    assert plan_copies(["2"]) == [Planned("all", 1, None), Planned("all", 2, None)]
    assert plan_copies(["http=2"]) is None


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        (["http"], "neither a number nor like"),
        (["http=-1"], "neither a number nor like"),
        (["2", "http=1"], "neither a number nor like"),
        (["http=1", "http=2"], "http is given twice"),
        (["http=65"], "65 is not from 0 to 64"),
        (["function:nothing=1"], "there is no group function:nothing; there are: function:answer, http,"),
    ],
)
def test_a_request_that_is_not_valid_is_refused(requests: list[str], message: str) -> None:
    with pytest.raises(HostError, match=message):
        plan_groups(KINDS, requests)


@pytest.mark.parametrize("number", ["0", "65"])
def test_the_number_of_instances_is_bounded(number: str) -> None:
    with pytest.raises(HostError, match="is not from 1 to 64"):
        plan_copies([number])
