"""What players report: which track was put on, how far it was heard, and how it ended."""

import json

from flask import Blueprint
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from appliance import clock
from appliance.errors import Invalid
from appliance.listening import events
from appliance.listening import recording
from web import private_keys
from web.request_cycle import by_origin
from web.request_cycle import person
from web.request_cycle import roles

blueprint = Blueprint("listening", __name__)


@blueprint.post("/listen/events")
@by_origin
def take() -> tuple[str, int]:
    """Keep what is good of a batch; a page that is being closed sends it by ``sendBeacon``, which knows no headers."""
    if (request.content_length or 0) > events.MOST_BYTES:
        raise RequestEntityTooLarge
    try:
        sent = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError) as error:
        raise Invalid("This is not valid JSON.") from error
    batch = events.batch(sent)
    recording.record(
        batch.events,
        person(),
        client=batch.client,
        sent_at_ms=batch.sent_at_ms,
        now=clock.now(),
        roles=roles(),
        keys=private_keys.shown(),
    )
    return "", 204
