"""With docs/extending/lane.patch: there is a lane more, wherever lanes are."""

import json

from infra.workbooks.layout import workbook
from shared.api.models import ChatRequest
from shared.api.openapi import document
from shared.capacity.waiting_line import RANKS
from shared.lanes import Lane, queue_of
from shared.settings import Settings
from tests.unit.samples import ENVIRONMENT


def test_callers_may_name_it_and_it_has_its_deadline_and_its_place_behind_the_others() -> None:
    lane = Lane(ChatRequest(message="Hello", lane="night").lane)
    usual = Settings.from_environment(ENVIRONMENT).lane_deadline_seconds[lane]
    changed = Settings.from_environment({**ENVIRONMENT, "SPILLWAY_DEADLINE_NIGHT_SECONDS": "1800"})

    assert usual == 3600
    assert changed.lane_deadline_seconds[lane] == 1800
    assert RANKS[lane] == max(RANKS.values())


def test_workers_documents_and_workbook_know_it() -> None:
    assert queue_of(Lane("night")) == "chat-night"
    assert '"night"' in json.dumps(document())
    assert "night" in json.dumps(workbook())
