"""The fake PayPal over HTTP: its interface, its till, and the wires by which a test moves it."""

from __future__ import annotations

import base64
import json
import threading
import uuid
import zlib
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import Flask
from flask import Response
from flask import jsonify
from flask import redirect
from flask import render_template_string
from flask import request
from markupsafe import escape
from werkzeug.serving import WSGIRequestHandler
from werkzeug.serving import make_server

from tests.servers.paypal import CLIENT_ID
from tests.servers.paypal import CLIENT_SECRET
from tests.servers.paypal import WEBHOOK
from tests.servers.paypal.world import Refusal
from tests.servers.paypal.world import World
from tests.servers.paypal.world import read
from tests.servers.paypal.world import shown
from tests.servers.paypal.world import written

TOKEN = "A21AAFEpH4PsADK7qSS7pSRsgzfENtu"
TILL = """<!doctype html><html lang="en"><title>PayPal</title><h1>Pay with PayPal</h1><p>{{ total }}</p>
<form method="post"><label>Pay with <select name="funding"><option value="good">A card that works</option>
<option value="once">A card that works once</option><option value="declined">A card that is declined</option></select></label>
<button name="answer" value="approve">Agree and pay</button> <button name="answer" value="cancel">Cancel</button></form></html>"""


class Quiet(WSGIRequestHandler):
    """Requests are kept, not printed."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> None:
    """Serve until killed."""
    app = Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    state = {"world": World(url)}
    lock = threading.Lock()
    key, certificate = signing_key()

    def world() -> World:
        return state["world"]

    @app.before_request
    def begin() -> Response | None:
        lock.acquire()
        if not request.path.startswith(("/v1/", "/v2/")):
            return None
        request_id = request.headers.get("PayPal-Request-Id", "")
        world().requests.append({"method": request.method, "path": request.path, "key": request_id})
        for fault in list(world().faults):
            if fault["method"] == request.method and fault["path"] in request.path and not fault["after"]:
                world().faults.remove(fault)
                return refused(Refusal(fault["status"], "INTERNAL_SERVICE_ERROR"))
        if request.path.startswith(("/v1/oauth2/", "/v1/notifications/certs/")):
            return None
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refused(Refusal(401, "AUTHENTICATION_FAILURE"))
        if request_id and (request.path, request_id) in world().keys:
            body, status = world().keys[(request.path, request_id)]
            return Response(body, status, mimetype="application/json")
        return None

    @app.after_request
    def finish(answer: Response) -> Response:
        request_id = request.headers.get("PayPal-Request-Id", "")
        if request_id and answer.status_code < 300:
            world().keys[(request.path, request_id)] = (answer.get_data(), answer.status_code)
        for fault in list(world().faults):
            if fault["method"] == request.method and fault["path"] in request.path and fault["after"]:
                world().faults.remove(fault)
                return refused(Refusal(fault["status"], "INTERNAL_SERVICE_ERROR"))
        return answer

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        lock.release()

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        told = {"name": error.name, "message": error.name, "debug_id": "90957fca61718"}
        if error.issue:
            told["details"] = [{"issue": error.issue}]  # type: ignore[assignment]
        answer = jsonify(told)
        answer.status_code = error.status
        return answer

    # ---- the interface

    @app.post("/v1/oauth2/token")
    def token() -> Response:
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            request.headers.get("Authorization") != f"Basic {pair}"
            or request.form["grant_type"] != "client_credentials"
        ):
            raise Refusal(401, "invalid_client")
        return jsonify(access_token=TOKEN, token_type="Bearer", expires_in=32_400)

    @app.post("/v2/checkout/orders")
    def create_order() -> Any:
        return jsonify(shown(world().create_order(request.get_json()))), 200

    @app.get("/v2/checkout/orders/<reference>")
    def show_order(reference: str) -> Any:
        return jsonify(shown(world().order(reference)))

    @app.post("/v2/checkout/orders/<reference>/capture")
    def capture(reference: str) -> Any:
        return jsonify(shown(world().capture(world().order(reference)))), 201

    @app.get("/v2/payments/captures/<reference>")
    def show_capture(reference: str) -> Any:
        if reference not in world().captures:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        return jsonify(world().captures[reference])

    @app.post("/v2/payments/captures/<reference>/refund")
    def refund(reference: str) -> Any:
        return jsonify(shown(world().refund(reference, request.get_json()))), 201

    @app.get("/v2/payments/refunds/<reference>")
    def show_refund(reference: str) -> Any:
        if reference not in world().refunds:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        return jsonify(shown(world().refunds[reference]))

    @app.post("/v1/catalogs/products")
    def create_product() -> Any:
        made = {"id": world().new("PROD-"), **request.get_json()}
        world().products[made["id"]] = made
        return jsonify(made), 201

    @app.post("/v1/billing/plans")
    def create_plan() -> Any:
        return jsonify(world().create_plan(request.get_json())), 201

    @app.post("/v1/billing/subscriptions")
    def create_subscription() -> Any:
        return jsonify(shown(world().create_subscription(request.get_json()))), 201

    @app.get("/v1/billing/subscriptions/<reference>")
    def show_subscription(reference: str) -> Any:
        row = world().subscription(reference)
        return jsonify(
            {**shown(row), **({"plan": row["_plan"]} if "plan" in request.args.get("fields", "") else {})}
        )

    @app.patch("/v1/billing/subscriptions/<reference>")
    def patch_subscription(reference: str) -> Any:
        world().patch(world().subscription(reference), request.get_json())
        return "", 204

    @app.post("/v1/billing/subscriptions/<reference>/<any(suspend,activate,cancel):verb>")
    def act(reference: str, verb: str) -> Any:
        if not request.get_json().get("reason"):
            raise Refusal(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
        world().act(world().subscription(reference), verb)
        return "", 204

    @app.get("/v1/billing/subscriptions/<reference>/transactions")
    def transactions(reference: str) -> Any:
        start, end = read(request.args["start_time"]), read(request.args["end_time"])
        rows = world().subscription(reference)["_transactions"]
        return jsonify(transactions=[one for one in rows if start <= read(one["time"]) <= end])

    @app.get("/v1/customer/disputes")
    def disputes() -> Any:
        since = read(request.args["update_time_after"])
        return jsonify(items=[one for one in world().disputes.values() if read(one["update_time"]) >= since])

    @app.get("/v1/customer/disputes/<reference>")
    def dispute(reference: str) -> Any:
        if reference not in world().disputes:
            raise Refusal(404, "RESOURCE_NOT_FOUND")
        return jsonify(world().disputes[reference])

    @app.post("/v1/notifications/webhooks")
    def create_webhook() -> Any:
        body = request.get_json()
        if any(one["url"] == body["url"] for one in world().webhooks.values()):
            raise Refusal(422, "WEBHOOK_URL_ALREADY_EXISTS")
        made = {"id": WEBHOOK, **body}
        world().webhooks[made["id"]] = made
        return jsonify(made), 201

    @app.get("/v1/notifications/webhooks")
    def webhooks() -> Any:
        return jsonify(webhooks=list(world().webhooks.values()))

    @app.get("/v1/notifications/certs/CERT-1")
    def show_certificate() -> Any:
        return Response(certificate, mimetype="application/x-pem-file")

    # ---- the till

    @app.route("/checkoutnow", methods=["GET", "POST"])
    def till() -> Any:
        order = world().order(request.args["token"])
        if request.method == "GET":
            amount = order["purchase_units"][0]["amount"]
            return render_template_string(TILL, total=f"{amount['value']} {amount['currency_code']}")
        if request.form["answer"] == "approve" and order["status"] == "PAYER_ACTION_REQUIRED":
            world().approve_order(order, request.form["funding"])
        return back(order, request.form["answer"])

    @app.route("/webapps/billing/subscriptions", methods=["GET", "POST"])
    def agree() -> Any:
        row = world().subscription(request.args["ba_token"].removeprefix("BA-"))
        if request.method == "GET":
            return render_template_string(TILL, total=row["_plan"]["name"])
        if request.form["answer"] == "approve" and row["status"] == "APPROVAL_PENDING":
            if request.form["funding"] == "declined":
                return str(escape("The card was declined.")), 422
            world().approve_subscription(row, request.form["funding"])
        return back(row, request.form["answer"])

    def back(row: dict[str, Any], answer: str) -> Any:
        context = row["_context"]
        return redirect(context["return_url"] if answer == "approve" else context["cancel_url"], 303)

    # ---- what no client could do

    @app.post("/control/<verb>")
    def control(verb: str) -> Any:
        asked = request.get_json()
        if verb == "reset":
            state["world"] = World(url)
        elif verb == "move":
            world().move(timedelta(seconds=asked["seconds"]))
        elif verb == "fail":
            world().faults.append(asked)
        elif verb == "seen":
            return jsonify(requests=world().requests)
        elif verb == "deliveries":
            told = [signed(event) for event in world().events]
            world().events.clear()
            return jsonify(deliveries=told)
        elif verb == "tell":
            world().tell(asked["kind"], asked["resource"])
        elif verb == "dispute":
            return jsonify(world().dispute(asked["payment"]))
        elif verb == "resolve":
            return jsonify(world().resolve(asked["dispute"], asked["outcome"]))
        elif verb == "refund":
            return jsonify(shown(world().refund(asked["payment"], {"amount": asked["amount"]})))
        elif verb == "cancel":
            world().act(world().subscription(asked["subscription"]), "cancel")
        return jsonify({})

    def signed(event: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(event).encode()
        transmission, at = str(uuid.uuid4()), written(datetime.now(UTC))
        message = f"{transmission}|{at}|{WEBHOOK}|{zlib.crc32(body)}".encode()
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "paypal-transmission-id": transmission,
            "paypal-transmission-time": at,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": f"{url}/v1/notifications/certs/CERT-1",
            "paypal-auth-algo": "SHA256withRSA",
        }
        return {"body": body.decode(), "headers": headers}

    print(server.server_port, flush=True)
    server.serve_forever()


def signing_key() -> tuple[rsa.RSAPrivateKey, bytes]:
    """The key of the events, and its certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


if __name__ == "__main__":
    main()
