"""What the fake PayPal knows, and what happens in it as time passes."""

from __future__ import annotations

import calendar
import itertools
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

RETRY = timedelta(days=5)
ORDERS_KEPT = timedelta(hours=6)
WHOLE = {"HUF", "JPY", "TWD"}


class Refusal(Exception):
    """What PayPal answers instead: a status, a name, and an issue."""

    def __init__(self, status: int, name: str, issue: str = "") -> None:
        self.status, self.name, self.issue = status, name, issue
        super().__init__(f"{status} {name} {issue}")


@dataclass
class World:
    """Everything, in one process."""

    url: str
    ahead: timedelta = timedelta()
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    captures: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[tuple[str, str], Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def new(self, prefix: str = "") -> str:
        return f"{prefix}{next(self._numbers):05d}{'PQRSTUVWXYZ'[:12]}"

    def tell(self, kind: str, resource: dict[str, Any], at: datetime | None = None) -> None:
        """Note an event, to be sent."""
        self.events.append(
            {
                "id": self.new("WH-"),
                "event_version": "1.0",
                "create_time": written(at or self.now()),
                "event_type": kind,
                "resource": dict(resource),
            }
        )

    # ---- orders

    def create_order(self, body: dict[str, Any]) -> dict[str, Any]:
        units = body.get("purchase_units") or []
        if body.get("intent") != "CAPTURE" or len(units) != 1:
            raise Refusal(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
        amount = units[0]["amount"]
        total = check(amount)
        parts = amount.get("breakdown") or {}
        if (
            parts
            and sum(value(parts[name]) for name in ("item_total", "tax_total") if name in parts) != total
        ):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "AMOUNT_MISMATCH")
        items = units[0].get("items") or []
        if items and sum(value(one["unit_amount"]) * int(one["quantity"]) for one in items) != value(
            parts["item_total"]
        ):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "ITEM_TOTAL_MISMATCH")
        reference = self.new("O")
        context = body["payment_source"]["paypal"]["experience_context"]
        order = {
            "id": reference,
            "intent": "CAPTURE",
            "status": "PAYER_ACTION_REQUIRED",
            "purchase_units": units,
            "create_time": written(self.now()),
            "links": [link("self", f"{self.url}/v2/checkout/orders/{reference}"), link("payer-action", f"{self.url}/checkoutnow?token={reference}")],
            "_context": context,
            "_at": self.now(),
        }  # fmt: skip
        self.orders[reference] = order
        return order

    def order(self, reference: str) -> dict[str, Any]:
        found = self.orders.get(reference)
        if found is None or (
            found["status"] == "PAYER_ACTION_REQUIRED" and found["_at"] + ORDERS_KEPT < self.now()
        ):
            raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return found

    def approve_order(self, order: dict[str, Any], funding: str) -> None:
        order["status"] = "APPROVED"
        order["_funding"] = funding
        order["payer"] = payer()
        order["update_time"] = written(self.now())
        self.tell("CHECKOUT.ORDER.APPROVED", shown(order))

    def capture(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["status"] == "COMPLETED":
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED")
        if order["_funding"] == "declined":
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED")
        unit, at = order["purchase_units"][0], written(self.now())
        amount = {name: unit["amount"][name] for name in ("currency_code", "value")}
        capture = {
            "id": self.new("C"),
            "status": "COMPLETED",
            "amount": amount,
            "custom_id": unit.get("custom_id", ""),
            "seller_receivable_breakdown": {"gross_amount": amount, "paypal_fee": fee(amount)},
            "supplementary_data": {"related_ids": {"order_id": order["id"]}},
            "create_time": at,
            "update_time": at,
        }
        self.captures[capture["id"]] = capture
        unit["payments"] = {"captures": [capture], "refunds": []}
        order["status"], order["update_time"] = "COMPLETED", at
        self.tell("PAYMENT.CAPTURE.COMPLETED", capture)
        return order

    # ---- refunds, of captures and of payments of subscriptions alike

    def refund(self, payment: str, body: dict[str, Any]) -> dict[str, Any]:
        paid, owner = self.payment(payment)
        amount = body.get("amount") or paid
        wanted = check(amount, zero=False)
        gone = sum(value(one["amount"]) for one in self.refunds.values() if one["_payment"] == payment)
        if amount["currency_code"] != paid["currency_code"]:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "CURRENCY_MISMATCH")
        if gone == value(paid):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED")
        if gone + wanted > value(paid):
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")
        at = written(self.now())
        refund = {
            "id": self.new("R"),
            "status": "COMPLETED",
            "amount": {name: amount[name] for name in ("currency_code", "value")},
            "create_time": at,
            "update_time": at,
            "links": [link("up", f"{self.url}/v2/payments/captures/{payment}")],
            "_payment": payment,
        }
        self.refunds[refund["id"]] = refund
        state = "REFUNDED" if gone + wanted == value(paid) else "PARTIALLY_REFUNDED"
        owner["status"] = state
        if payment in self.captures:
            refund["custom_id"] = owner["custom_id"]
            order = self.orders[owner["supplementary_data"]["related_ids"]["order_id"]]
            order["purchase_units"][0]["payments"]["refunds"].append(refund)
            order["update_time"] = at
            self.tell("PAYMENT.CAPTURE.REFUNDED", shown(refund))
        else:
            told = {
                "id": refund["id"],
                "sale_id": payment,
                "amount": {"total": amount["value"], "currency": amount["currency_code"]},
            }
            self.tell("PAYMENT.SALE.REFUNDED", told)
        return refund

    def payment(self, reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The amount of a payment, and what keeps its state."""
        if reference in self.captures:
            return self.captures[reference]["amount"], self.captures[reference]
        for subscription in self.subscriptions.values():
            for one in subscription["_transactions"]:
                if one["id"] == reference:
                    return one["amount_with_breakdown"]["gross_amount"], one
        raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")

    def dispute(self, payment: str) -> dict[str, Any]:
        paid, _owner = self.payment(payment)
        at = written(self.now())
        dispute = {
            "dispute_id": self.new("PP-D-"),
            "status": "OPEN",
            "disputed_transactions": [{"seller_transaction_id": payment}],
            "dispute_amount": paid,
            "create_time": at,
            "update_time": at,
            "seller_response_due_date": written(self.now() + timedelta(days=10)),
        }
        self.disputes[dispute["dispute_id"]] = dispute
        self.tell("CUSTOMER.DISPUTE.CREATED", dispute)
        return dispute

    def resolve(self, reference: str, outcome: str) -> dict[str, Any]:
        dispute = self.disputes[reference]
        at = written(self.now() + timedelta(seconds=1))
        dispute.update(status="RESOLVED", update_time=at, dispute_outcome={"outcome_code": outcome})
        self.tell("CUSTOMER.DISPUTE.RESOLVED", dispute)
        return dispute

    # ---- subscriptions

    def create_plan(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("product_id") not in self.products:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "INVALID_PRODUCT_ID")
        for cycle in body["billing_cycles"]:
            check(cycle["pricing_scheme"]["fixed_price"], zero=cycle["tenure_type"] == "TRIAL")
        plan = {"id": self.new("P-"), "status": "ACTIVE", **body}
        self.plans[plan["id"]] = plan
        return plan

    def create_subscription(self, body: dict[str, Any]) -> dict[str, Any]:
        plan = self.plans.get(body.get("plan_id", ""))
        if plan is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        reference, at = self.new("I-"), written(self.now())
        subscription = {
            "id": reference,
            "plan_id": plan["id"],
            "status": "APPROVAL_PENDING",
            "custom_id": body.get("custom_id", ""),
            "start_time": at,
            "create_time": at,
            "update_time": at,
            "subscriber": body.get("subscriber") or {},
            "billing_info": {"outstanding_balance": {"currency_code": currency(plan), "value": "0.0"}, "failed_payments_count": 0},
            "links": [link("approve", f"{self.url}/webapps/billing/subscriptions?ba_token=BA-{reference}"), link("self", f"{self.url}/v1/billing/subscriptions/{reference}")],
            "_plan": {"name": plan["name"], "billing_cycles": copied(plan["billing_cycles"])},
            "_context": body["application_context"],
            "_transactions": [],
            "_funding": "good",
        }  # fmt: skip
        self.subscriptions[reference] = subscription
        return subscription

    def subscription(self, reference: str) -> dict[str, Any]:
        found = self.subscriptions.get(reference)
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
        return found

    def approve_subscription(self, row: dict[str, Any], funding: str) -> None:
        row["_funding"] = funding
        row["subscriber"] = {**payer(), **row["subscriber"]}
        row["start_time"] = written(self.now())
        trial = next((one for one in row["_plan"]["billing_cycles"] if one["tenure_type"] == "TRIAL"), None)
        row["_anchor"] = read(row["start_time"]) + timedelta(
            days=int(trial["frequency"]["interval_count"]) if trial else 0
        )
        row["_turn"], row["_due"] = 0, row["_anchor"]
        self.become(row, "ACTIVE", "BILLING.SUBSCRIPTION.ACTIVATED")
        self.bill(row)

    def become(self, row: dict[str, Any], status: str, event: str, at: datetime | None = None) -> None:
        row["status"] = status
        row["status_update_time"] = row["update_time"] = written(at or self.now())
        self.tell(event, shown(row), at)

    def bill(self, row: dict[str, Any]) -> None:
        """Take all payments that are due by now."""
        info = row["billing_info"]
        while row["status"] == "ACTIVE" and row["_due"] <= self.now():
            at = row["_due"]
            cycle = next(one for one in row["_plan"]["billing_cycles"] if one["tenure_type"] == "REGULAR")
            amount = cycle["pricing_scheme"]["fixed_price"]
            good = row["_funding"] == "good" or (row["_funding"] == "once" and not row["_transactions"])
            if not good:
                info["failed_payments_count"] += 1
                info["outstanding_balance"] = amount
                row["_due"] = at + RETRY
                info["last_failed_payment"] = {
                    "amount": amount,
                    "time": written(at),
                    "next_payment_retry_time": written(row["_due"]),
                }
                row["update_time"] = written(at)
                self.tell("BILLING.SUBSCRIPTION.PAYMENT.FAILED", shown(row), at)
                if info["failed_payments_count"] >= 3:
                    self.become(row, "SUSPENDED", "BILLING.SUBSCRIPTION.SUSPENDED", at)
                continue
            row["_turn"] += 1
            row["_due"] = after(row["_anchor"], row["_turn"], cycle["frequency"]["interval_unit"])
            self.take(row, amount, at)
        info["next_billing_time"] = written(row["_due"])

    def take(self, row: dict[str, Any], amount: dict[str, str], at: datetime) -> None:
        transaction = {
            "id": self.new("T"),
            "status": "COMPLETED",
            "amount_with_breakdown": {"gross_amount": amount, "fee_amount": fee(amount)},
            "payer_email": row["subscriber"].get("email_address", ""),
            "time": written(at),
        }
        row["_transactions"].append(transaction)
        info = row["billing_info"]
        info["last_payment"] = {"amount": amount, "time": written(at)}
        info["failed_payments_count"] = 0
        info["outstanding_balance"] = {**amount, "value": "0.0"}
        row["update_time"] = written(at)
        sale = {
            "id": transaction["id"],
            "state": "completed",
            "amount": {"total": amount["value"], "currency": amount["currency_code"]},
            "billing_agreement_id": row["id"],
            "custom": row["custom_id"],
            "create_time": written(at),
        }
        self.tell("PAYMENT.SALE.COMPLETED", sale, at)

    def act(self, row: dict[str, Any], verb: str) -> None:
        allowed = {"suspend": {"ACTIVE"}, "activate": {"SUSPENDED"}, "cancel": {"ACTIVE", "SUSPENDED"}}
        if row["status"] not in allowed[verb]:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")
        if verb == "activate":
            self.become(row, "ACTIVE", "BILLING.SUBSCRIPTION.ACTIVATED")
            cycle = next(one for one in row["_plan"]["billing_cycles"] if one["tenure_type"] == "REGULAR")
            # What was missed while it was suspended is not asked for.
            while row["_due"] <= self.now():
                row["_turn"] += 1
                row["_due"] = after(row["_anchor"], row["_turn"], cycle["frequency"]["interval_unit"])
            return
        status, event = {"suspend": ("SUSPENDED", "SUSPENDED"), "cancel": ("CANCELLED", "CANCELLED")}[verb]
        self.become(row, status, f"BILLING.SUBSCRIPTION.{event}")

    def patch(self, row: dict[str, Any], changes: list[dict[str, Any]]) -> None:
        if row["status"] not in {"ACTIVE", "SUSPENDED"}:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "SUBSCRIPTION_STATUS_INVALID")
        for change in changes:
            for cycle in row["_plan"]["billing_cycles"]:
                if (
                    change["path"]
                    == f"/plan/billing_cycles/@sequence=={cycle['sequence']}/pricing_scheme/fixed_price"
                ):
                    check(change["value"])
                    cycle["pricing_scheme"]["fixed_price"] = change["value"]
                    break
            else:
                raise Refusal(400, "INVALID_REQUEST", "UNSUPPORTED_PATCH_OPERATION")
        row["update_time"] = written(self.now())
        self.tell("BILLING.SUBSCRIPTION.UPDATED", shown(row))

    def move(self, time: timedelta) -> None:
        self.ahead += time
        for row in self.subscriptions.values():
            if row["status"] == "ACTIVE":
                self.bill(row)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """What a client sees of it."""
    told = {name: one for name, one in row.items() if not name.startswith("_")}
    for unit in told.get("purchase_units") or ():
        made = unit.get("payments") or {}
        made["refunds"] = [shown(one) for one in made.get("refunds", ())] if made else []
    return told


def check(amount: dict[str, str], *, zero: bool = False) -> int:
    """The amount in hundredths; refused when PayPal would not take it."""
    found = value(amount)
    if found < 0 or (found == 0 and not zero):
        raise Refusal(422, "UNPROCESSABLE_ENTITY", "CANNOT_BE_ZERO_OR_NEGATIVE")
    if amount["currency_code"] in WHOLE and "." in amount["value"]:
        raise Refusal(422, "UNPROCESSABLE_ENTITY", "DECIMALS_NOT_SUPPORTED")
    return found


def value(amount: dict[str, str]) -> int:
    """The amount in hundredths."""
    whole, _, rest = amount["value"].partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


def fee(amount: dict[str, str]) -> dict[str, str]:
    """What PayPal keeps: 2.49 % and 0.35, or whole ones of what has no parts."""
    kept = value(amount) * 249 // 10_000 + 35
    text = str(kept // 100) if amount["currency_code"] in WHOLE else f"{kept // 100}.{kept % 100:02}"
    return {"currency_code": amount["currency_code"], "value": text}


def payer() -> dict[str, Any]:
    return {
        "payer_id": "QYR5Z8XDVJNXQ",
        "email_address": "fan@example.com",
        "address": {"country_code": "DE"},
    }


def currency(plan: dict[str, Any]) -> str:
    return str(plan["billing_cycles"][-1]["pricing_scheme"]["fixed_price"]["currency_code"])


def copied(cycles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**cycle, "pricing_scheme": dict(cycle["pricing_scheme"])} for cycle in cycles]


def link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "method": "GET"}


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def after(anchor: datetime, turns: int, unit: str) -> datetime:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + turns * (12 if unit == "YEAR" else 1), 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)
