"""Where messages may go: checked when a target is saved, and again at each connection, to the very address checked.

A name can stand for one address when it is checked and for another a moment later. So a name is resolved once, every
address it stands for is looked at, and the connection goes to one of those, never to the name.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from radar.errors import CallerError
from radar.sources.web import is_public

LONGEST = 2000
_AZURE = ipaddress.ip_address("168.63.129.16")
"""Public by its number, and yet what every virtual machine at Azure asks for its own configuration."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+")


class PrivateTarget(CallerError):
    """An address in a private network, where none is allowed."""

    slug = "private-target"

    def __init__(self, host: str, address: str) -> None:
        where = f"{host[:100]} ({address})" if host != address else host
        super().__init__(
            f"{where} is in a private network, or this machine itself.",
            "Give a public address; or allow such targets with RADAR_ALLOW_PRIVATE_TARGETS=1.",
        )


def is_allowed(address: str) -> bool:
    """Whether an address is of the open Internet: not private, loopback, link-local, nor a cloud's metadata.

    >>> [is_allowed(a) for a in ("93.184.215.14", "169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "fd00::1")]
    [True, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    inside = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        held = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64 or int(ip) >> 32 == 0:
            held.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inside += [one for one in held if one is not None]
    return all(is_public(str(one)) and one != _AZURE for one in inside)


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a name, all of them allowed. Raises PrivateTarget, and OSError where there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host[:100]} is no name of a host") from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not allow_private:
        for address in addresses:
            if not is_allowed(address):
                raise PrivateTarget(host, address)
    return addresses


def checked_url(url: str, *, allow_private: bool) -> str:
    """A web address that messages can be sent to. Raises CallerError."""
    url = url.strip()
    wrong = CallerError(f"'{url[:80]}' is no web address.", "Give one like https://example.com/hook.")
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise wrong
    if "@" in parts.netloc:
        raise CallerError("A web address holds no user or password here.", "The signature says who sends.")
    if parts.fragment:
        raise CallerError("A web address to send to has no part after '#'.", "Leave it out.")
    try:
        resolve(parts.hostname, port, allow_private=allow_private)
    except OSError as error:
        raise CallerError(f"There is no host '{parts.hostname[:100]}'.", "Is it written rightly?") from error
    return url


def checked_mail(address: str) -> str:
    """A mail address. Raises CallerError.

    >>> checked_mail(" ann@example.com ")
    'ann@example.com'
    """
    address = address.strip()
    if len(address) > 254 or not _MAIL.fullmatch(address):
        raise CallerError(f"'{address[:80]}' is no mail address.", "Give one like ann@example.com.")
    return address
