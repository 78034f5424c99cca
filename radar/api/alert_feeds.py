"""What a rule told as an Atom feed (RFC 4287), for whoever knows its token."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from radar.errors import UnknownName
from radar.store import alert_rules, alerts
from radar.store.alert_rules import Rule, Target
from radar.store.alerts import Event
from radar.web.letters import public_base, write_letter
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])
ENTRIES = 50
_ATOM = "http://www.w3.org/2005/Atom"


@router.get("/feeds/alerts/{rule}.atom")
def read_feed(
    rule: Annotated[str, Path(examples=["3"])],
    request: Request,
    session: SessionDep,
    token: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The newest that a rule told; 404 without its token, as if there were none."""
    found = alert_rules.rule(session, rule) if rule.isdecimal() else None
    targets = alert_rules.targets_of(session, found.id) if found else []
    mine = [t for t in targets if t.kind == "feed" and hmac.compare_digest((t.secret or "").encode(), token.encode())]
    if found is None or not mine:
        raise UnknownName("feed", rule[:40], [])
    events = [e for e in alerts.events(session, rule_id=found.id, limit=ENTRIES) if e.fired_at >= mine[0].created_at]
    body = atom(found, mine[0], events, public_base(request.app.state.settings))
    return Response(body, media_type="application/atom+xml; charset=utf-8")


def atom(rule: Rule, target: Target, events: Sequence[Event], base: str) -> bytes:
    """The feed. Ids stay for ever; a feed without entries was changed when it was made."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(_name("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": rule.language})
    unique = f"tag:radar,{target.created_at:%Y-%m-%d}:alerts/{rule.id}/{target.id}"
    _put(feed, "id", unique)
    _put(feed, "title", f"radar: {rule.name}")
    _put(feed, "updated", _at(max((e.fired_at for e in events), default=target.created_at)))
    _put(ET.SubElement(feed, _name("author")), "name", "KOL trend radar")
    ET.SubElement(
        feed, _name("link"), {"rel": "self", "href": f"{base}/feeds/alerts/{rule.id}.atom?token={target.secret}"}
    )
    ET.SubElement(feed, _name("link"), {"rel": "alternate", "type": "text/html", "href": f"{base}/alerts"})
    for event in events:
        letter = write_letter(event.message, rule.language, rule.name, base)
        entry = ET.SubElement(feed, _name("entry"))
        _put(entry, "id", f"{unique}/{event.id}")
        _put(entry, "title", letter.mail.subject)
        _put(entry, "updated", _at(event.fired_at))
        _put(entry, "published", _at(event.changed_at))
        ET.SubElement(entry, _name("link"), {"rel": "alternate", "type": "text/html", "href": letter.url})
        _put(entry, "content", letter.mail.text, type="text")
    body: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return body


def _name(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _put(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, _name(name), attributes).text = "".join(c for c in text if c.isprintable() or c in "\n\t")


def _at(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
