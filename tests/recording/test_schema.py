from __future__ import annotations

import json

import pytest

from powerhal.recording.schema import layout_from_json, layout_to_json, topology_from_json, topology_to_json
from tests.recording.rows import LAYOUT, TOPOLOGY


def test_layout_and_topology_come_back_equal():
    assert layout_from_json(layout_to_json(LAYOUT)) == LAYOUT
    assert topology_from_json(topology_to_json(TOPOLOGY)) == TOPOLOGY


def test_keys_of_later_versions_are_ignored():
    data = json.loads(layout_to_json(LAYOUT))
    data["fields"][0]["novelty"] = 1
    data["later"] = 2
    assert layout_from_json(json.dumps(data)) == LAYOUT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fields": []}', "null"])
def test_other_text_is_refused(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        layout_from_json(text)
