"""E-mail by SMTP: what is sent, and how the server is reached that RADAR_SMTP_URL names."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from radar.alerts.addresses import checked_mail
from radar.alerts.outcomes import Outcome
from radar.errors import CallerError

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Written:
    """A message in a language, as mail holds it."""

    subject: str
    text: str
    html: str
    language: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. tls: from the first byte (smtps) instead of by STARTTLS."""

    host: str
    port: int
    user: str
    password: str
    tls: bool

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read smtp://user:password@host:587 or smtps://host. Raises CallerError, which never repeats it."""
        try:
            parts = urlsplit(url)
            port = parts.port or (465 if parts.scheme == "smtps" else 587 if parts.username else 25)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise CallerError(
                "RADAR_SMTP_URL does not name a mail server.", "Set it to smtp://user:password@mail.example.com:587."
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, user, password, parts.scheme == "smtps")

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def message_of(written: Written, sender: str, to: str, id: str, at: datetime) -> EmailMessage:
    """A mail of text and HTML; its Message-ID is the same at each attempt."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"], mail["From"], mail["To"] = " ".join(written.subject.split()), sender, to
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"], mail["Content-Language"] = "auto-generated", written.language
    mail.set_content(written.text)
    mail.add_alternative(written.html, subtype="html")
    return mail


def checked_sender(sender: str) -> str:
    """RADAR_MAIL_FROM. Raises CallerError."""
    if not sender:
        raise CallerError("RADAR_MAIL_FROM is not set.", "Set it to who mails come from, as radar@example.com.")
    checked_mail(parseaddr(sender)[1])
    return sender


def send(mail: EmailMessage, url: str) -> Outcome:
    """Hand a mail in, once."""
    try:
        server = Server.of(url)
        _hand_in(mail, server)
    except CallerError as error:
        return Outcome(False, str(error))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _refused(int(code), said)
    except smtplib.SMTPAuthenticationError as error:
        return Outcome(False, f"The mail server refused user and password ({error.smtp_code}).", error.smtp_code)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(False, f"The mail server was not reached: {type(error).__name__} {error}".strip()[:300])
    return Outcome(True, f"taken by {server.host}", 250)


def _hand_in(mail: EmailMessage, server: Server) -> None:
    context = ssl.create_default_context()
    if server.tls:
        opened: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        opened = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    with opened as smtp:
        smtp.ehlo()
        is_safe = server.tls
        if not server.tls and smtp.has_extn("starttls") and (server.user or not server.is_here):
            smtp.starttls(context=context)
            smtp.ehlo()
            is_safe = True
        if server.user:
            if not (is_safe or server.is_here):
                raise CallerError("The mail server offers no TLS: the password is not sent in clear.", "Use smtps://.")
            smtp.login(server.user, server.password)
        smtp.send_message(mail)


def _refused(code: int, said: bytes | str) -> Outcome:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return Outcome(False, f"SMTP {code}: {' '.join(words.split())}"[:300], code, final=code in (550, 551, 553, 554))
