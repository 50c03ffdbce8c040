"""Payment providers as people read them: by their label, in the reader's language where it is one of ours."""

from flask_babel import gettext as _

from appliance import processors
from appliance.payments import PaymentProvider


def label(provider: PaymentProvider) -> str:
    """What the provider is called; an operator's own words stay as they are."""
    return str(_(provider.label))


def label_of(name: str) -> str:
    """What the provider of this name is called, or its name when it does not run any more."""
    return next((label(one) for one in processors.every() if one.name == name), name)
