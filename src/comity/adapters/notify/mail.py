"""A mail that says only that a notice waits: its number and its kind, to an officer of ours, by a relay of ours."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address

from comity.kernel.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Mail:
    """The relay, RFC 5321.

    Args:
        host, port: Where it is.
        sender: The address that mails come from.
        tls: ``none``, only to this machine; ``starttls`` (RFC 3207) or ``tls`` (RFC 8314), the certificate checked.
        timeout: Seconds for each step of the conversation.
    """

    host: str
    sender: str
    port: int = 25
    tls: str = "starttls"
    timeout: float = 20

    def __post_init__(self) -> None:
        if self.tls not in ("none", "starttls", "tls"):
            raise ValueError("tls of mail is none, starttls or tls")
        if self.tls == "none" and not _is_here(self.host):
            raise ValueError("mail goes without TLS to a relay on this machine only; say tls = 'starttls'")
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 0 < self.port < 65536:
            raise ValueError("port of mail is a number from 1 to 65535")
        if not isinstance(self.sender, str) or "@" not in self.sender:
            raise ValueError("from of mail is an address such as comity@cert.example")

    def tell(self, number: int, kind: str, to: str) -> None:
        """Hand the mail to the relay.

        Raises:
            Unavailable: `notify-failed`.
        """
        try:
            letter = EmailMessage()
            letter["From"], letter["To"] = self.sender, to
            letter["Subject"] = f"Comity: notice {number}"
            letter["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no answer by a machine
            letter.set_content(f"Notice {number} ({kind}) waits. Look it up on the node: comity contact notify\n")
            with self._relay() as relay:
                relay.send_message(letter)
        except (smtplib.SMTPException, OSError, ValueError) as broken:
            told = str(broken).splitlines()[0][:200] if str(broken) else type(broken).__name__
            raise Unavailable(
                "notify-failed", f"The mail relay {self.host} did not take the notice: {told}."
            ) from broken

    def _relay(self) -> smtplib.SMTP:
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=ssl.create_default_context())
        relay = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        if self.tls == "starttls":
            try:
                relay.starttls(context=ssl.create_default_context())
            except BaseException:
                relay.close()
                raise
        return relay


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
