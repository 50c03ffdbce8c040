"""E-mail: a message is written down in the transaction of the act it tells of, and sent by a durable job.

``send`` inside the transaction, ``jobs.send`` with what it returns after the commit; or ``post``, whose job is sent by itself then. A message is sent at least once: a worker that
dies between the server's answer and the note of it sends again, with the same Message-ID, by which most mailboxes know a second copy.
"""

from appliance.mail import account_wording
from appliance.mail import attachments
from appliance.mail import gift_wording
from appliance.mail import ledger_wording
from appliance.mail import membership_wording
from appliance.mail import paper_wording
from appliance.mail import payment_wording
from appliance.mail import shop_wording
from appliance.mail.models import Message
from appliance.mail.models import MessageState
from appliance.mail.sending import post
from appliance.mail.sending import send
from appliance.mail.server import configure
from appliance.mail.server import is_set
from appliance.mail.wording import KINDS
from appliance.mail.wording import Kind
from appliance.mail.wording import declare

__all__ = [
    "KINDS",
    "Kind",
    "Message",
    "MessageState",
    "account_wording",
    "attachments",
    "configure",
    "declare",
    "gift_wording",
    "is_set",
    "ledger_wording",
    "membership_wording",
    "paper_wording",
    "payment_wording",
    "post",
    "send",
    "shop_wording",
]
