"""The forms of Flask-Security with our rules: what a password must be, and answers that do not tell who has an account."""

from typing import Any

from flask import g
from flask import session
from flask_babel import gettext
from flask_security import ChangeEmailForm
from flask_security import ForgotPasswordForm
from flask_security import LoginForm
from flask_security import PasswordUtil
from flask_security import RegisterFormV2
from flask_security import SendConfirmationForm
from flask_security.confirmable import send_confirmation_instructions
from flask_security.forms import EmailValidation
from flask_security.forms import Form
from wtforms import EmailField
from wtforms.validators import DataRequired

from appliance import clock
from appliance.accounts import passwords
from appliance.accounts import sessions
from appliance.errors import N_
from appliance.errors import Invalid
from web.security import visitors
from web.security.datastore import SessionUser
from web.security.datastore import stand_in
from web.security.routing import ONWARD
from web.security.routing import way_back
from web.sentences import told

FIRST_CONFIRM = N_("Confirm your address first: we have just sent you the letter once more.")


class PasswordRules(PasswordUtil):
    """Our rules; Flask-Security asks for them wherever a password is chosen."""

    def validate(self, password: str, is_register: bool, **about: Any) -> tuple[list[str] | None, str]:
        """What is wrong with *password*, if something is, and how it is hashed."""
        user = about.get("user")
        email = str(user.email if user is not None else about.get("email") or "")
        try:
            return None, passwords.require(password, email=email)
        except Invalid as error:
            return [told(error)], password


class SignInForm(LoginForm):
    """Says what hinders somebody only to who knew the password; keeps every failure."""

    def validate(self, **extra: Any) -> bool:
        """Whether to let them on to the next step."""
        good = bool(super().validate(**extra))
        if good or not (self.email.data and self.password.data):
            return good
        if self.user is not None and self.requires_confirmation and self.user.active:
            # They knew the password, so this tells them nothing about somebody else.
            send_confirmation_instructions(self.user)
            self.email.errors = []
            self.form_errors = [gettext(FIRST_CONFIRM)]
        else:
            sessions.note_failure(
                self.user, way="password", address=visitors.rough_address(), now=clock.now()
            )
        return False


class JoinForm(RegisterFormV2):
    """Remembers where who joins wanted to go: they come back by a letter."""

    def validate(self, **extra: Any) -> bool:
        """Whether an account can be made of it."""
        good = bool(super().validate(**extra))
        if there := way_back():
            session[ONWARD] = there
        return good


class _AnyAddress(Form):
    """A form with an address, known here or not."""

    email = EmailField(
        validators=[DataRequired(message=N_("Email not provided")), EmailValidation(verify=True)]
    )

    said = ""

    def taken(self) -> bool:
        """Whether it is an address; the answer to one is the same for all, and given by ``configuration.finish``."""
        good = bool(Form.validate(self))
        if good:
            self.email.data = str(self.email.data).lower()
            g.letter_asked = (self.said, self.email.data)
        return good

    def who(self) -> SessionUser:
        """Whose address it is; somebody who is not there when nobody has it, or who has it may not come in."""
        email = self.email.data
        found = SessionUser.get_or_none(SessionUser.email == email)
        return found if found is not None and found.active and not found.demo else stand_in(email)


class RecoverForm(_AnyAddress, ForgotPasswordForm):
    """Asks for a letter to choose a new password; also who never confirmed the address may, for the letter proves it."""

    email = _AnyAddress.email
    said = "PASSWORD_RESET_REQUEST"

    def validate(self, **extra: Any) -> bool:
        """True for every address that can be one."""
        if not self.taken():
            return False
        self.user = self.who()
        return True


class ConfirmForm(_AnyAddress, SendConfirmationForm):
    """Asks for the letter that confirms an address once more."""

    email = _AnyAddress.email
    said = "CONFIRMATION_REQUEST"

    def validate(self, **extra: Any) -> bool:
        """True for every address that can be one."""
        if not self.taken():
            return False
        found = self.who()
        self.user = found if found.confirmed_at is None else stand_in(found.email)
        return True


class NewAddressForm(_AnyAddress, ChangeEmailForm):
    """Asks for another address; whether somebody has it already is told to nobody but them."""

    email = _AnyAddress.email
    said = "CHANGE_EMAIL_SENT"
    existing_email_user = None

    def validate(self, **extra: Any) -> bool:
        """True for every address that can be one."""
        return self.taken()
