"""What the directory desk can do."""

from __future__ import annotations

from comity.desks.directory import contacts, filing, lookup, messages, notices, pings, rotas, vouching
from comity.node.desk import DeskDeed

DEEDS = (
    DeskDeed("contact add", "take in", contacts.Add, contacts.add),
    DeskDeed("contact change", "take in", contacts.Change, contacts.change),
    DeskDeed("contact end", "take in", contacts.End, contacts.end),
    DeskDeed("contact list", "read", lookup.List, lookup.list_),
    DeskDeed("contact show", "read", lookup.Show, lookup.show),
    DeskDeed("contact reach", "read", lookup.Reach, lookup.reach_),
    DeskDeed("contact rota", "take in", rotas.SetRota, rotas.set_rota),
    DeskDeed("contact ping", "take in", pings.Send, pings.send),
    DeskDeed("contact answer", "take in", pings.Answer, pings.answer),
    DeskDeed("contact pings", "read", pings.Pings, pings.pings),
    DeskDeed("contact report", "read", pings.Report, pings.report),
    DeskDeed("contact vouch", "sign", vouching.Say, vouching.vouch),
    DeskDeed("contact notify", "take in", notices.Tell, notices.notify),
    DeskDeed("contact import", "take in", filing.Import, filing.import_),
    DeskDeed("contact export", "read", filing.Export, filing.export),
    DeskDeed("message send", "release", messages.Send, messages.send),
    DeskDeed("message read", "read", messages.Read, messages.read),
    DeskDeed("message answer", "release", messages.Answer, messages.answer),
    DeskDeed("message acknowledge", "take in", messages.Acknowledge, messages.acknowledged),
    DeskDeed("message list", "read", messages.List, messages.list_),
)
