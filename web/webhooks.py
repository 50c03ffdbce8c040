"""What payment providers send: checked, written down and acknowledged; a job does the rest.

Nobody is signed in here and no session is looked at: the provider's signature over the raw body says who sent it.
"""

from flask import Blueprint
from flask import Response
from flask import request
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.billing import inbox
from appliance.payments import Delivery
from web.bodies import takes
from web.request_cycle import by_signature

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.post("/<provider>")
@takes(inbox.MOST_BYTES)
@by_signature
def receive(provider: str) -> ResponseReturnValue:
    """Take one event of this provider; 204 also for one that came before."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    inbox.receive(provider, Delivery(request.get_data(cache=False), headers), now=clock.now())
    answer = Response(status=204)
    # Nothing is in it, so it is no page either, for which browsers would be told what it may do.
    del answer.headers["Content-Type"]
    return answer
