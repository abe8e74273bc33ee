"""Reads {"kind": "blocks" or "views", "items": […]} and writes, for each item, a list of
what slack_sdk finds wrong with it or with anything in it: its own check of a block does
not look into the block."""

import json
import logging
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View


class Complaints(logging.Handler):
    """What is unknown to slack_sdk it drops, and says so in its log."""

    def emit(self, record):
        found.append(record.getMessage())


def check(where, value):
    if isinstance(value, (list, tuple)):
        for i, one in enumerate(value):
            check(f"{where}[{i}]", one)
    if not isinstance(value, JsonObject):
        return
    try:
        value.validate_json()
    except SlackObjectFormationError as error:
        found.append(f"{where} ({getattr(value, 'type', None) or type(value).__name__}): {error}")
    for name, one in vars(value).items():
        check(f"{where}.{name}", one)


def validate(kind, item):
    found.clear()
    try:
        if kind == "views":
            check("view", View(**item))
        elif not isinstance(item, list) or not item:
            found.append("no list of blocks")
        else:
            check("", [Block.parse(block) for block in item])
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        found.append(f"{type(error).__name__}: {error}")
    return list(found)


found = []
log = logging.getLogger("slack_sdk")
log.setLevel(logging.DEBUG)
log.addHandler(Complaints())
log.propagate = False
asked = json.load(sys.stdin)
json.dump([validate(asked["kind"], item) for item in asked["items"]], sys.stdout)
