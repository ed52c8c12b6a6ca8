"""The English sentences of ``comity-phrases/1``, as data. Once an agreement is signed with it, no letter here may
change.

The words of purposes and bases are those of lists.py (a test holds them equal). TLP is said after TLP 2.0 (FIRST,
2022).
"""

from __future__ import annotations

from typing import Final

from comity.kernel.release.phrases import Phrasebook

_SENTENCES: Final = {
    "title": "{title}",
    "made.one": "Done in {languages|and}, which alone is authentic.",
    "made.several": "Done in {languages|and}, each text being equally authentic.",
    "form": "Written in form {form} of the agreement language with the phrasebook {phrases}.",
    "amends": "This instrument amends and replaces the instrument whose digest is {previous}.",
    "heading.parties": "THE PARTIES",
    "party": "{name} ({ref}), whose identifier is {id}.",
    "heading.groups": "GROUPS OF PARTIES",
    "group.fixed": "“{ref}” are {members|and}.",
    "group.grows": "“{ref}” are {members|and}, and every party that accedes.",
    "heading.life": "THE LIFE OF THIS INSTRUMENT",
    "life.begins": "This instrument enters into force on {enters_into_force}, or when {signatures} have signed it, "
    "whichever is later.",
    "life.ends": "It ends on {ends}.",
    "life.endless": "It has no fixed end.",
    "life.threshold": "A change of membership is signed by {threshold}.",
    "life.accession": "A party of the kind {kinds|or} may accede to “{group}” if that change of membership is "
    "signed by {consent}.",
    "life.no_accession": "No other party may accede.",
    "life.withdrawal": "A party may withdraw by signed notice; the withdrawal takes effect no earlier than "
    "{withdrawal_notice} after the notice.",
    "life.after_end": "When this instrument ends, {after_end}.",
    "life.depositary": "The depositary is {depositary}; it puts the changes of membership in order and renews "
    "the membership.",
    "life.succession": "A depositary that is silent for one lease is succeeded, each after one lease of silence and in "
    "this order, by {succession|and}.",
    "life.no_succession": "Nobody succeeds a silent depositary.",
    "life.lease": "A renewal of the membership holds for {lease}; this period is called the lease.",
    "life.silence": "Who keeps silent when asked to agree has {silence_rule}.",
    "life.silence_except": "Who keeps silent when asked to agree has {silence_rule}, except on {silence_except|and}, "
    "which stands unless somebody objects in time.",
    "life.law": "The parties state: “{law}”",
    "heading.views": "VIEWS",
    "view": "The view “{name}” leaves out {remove|and}.",
    "heading.clauses": "THE CLAUSES",
    "permit.head": "{number}. By this clause {from|and} may give {to|and} objects on the following terms:",
    "permit.mutual": "{number}. By this clause {from|and} may give one another objects on the following terms:",
    "refer.head": "{number}. By this clause {from|and} may give {to|and} objects only as officers decide in each case, "
    "on the following terms:",
    "refer.mutual": "{number}. By this clause {from|and} may give one another objects only as officers decide "
    "in each case, "
    "on the following terms:",
    "prohibit.head": "{number}. By this clause {from|and} shall not give {to|and} any object of which all of "
    "the following "
    "is true:",
    "prohibit.mutual": "{number}. By this clause {from|and} shall not give one another any object of which all of the "
    "following is true:",
    "prohibit.bare": "{number}. By this clause {from|and} shall not give {to|and} any object at all.",
    "prohibit.bare_mutual": "{number}. By this clause {from|and} shall not give one another any object at all.",
    "permit.types": "the object is of the type {types|or}",
    "permit.tlp": "it is marked {tlp|or}",
    "permit.pap": "it bears {pap|or}",
    "permit.sectors": "every sector stated for it is {sectors|or}",
    "permit.countries": "every country stated for it is {countries|or}",
    "permit.caveats": "every caveat stated for it is {caveats|or}",
    "permit.recipients": "every recipient stated for it is one of these offices, all of which the card of the "
    "receiver names: "
    "{recipients|or}",
    "permit.cases": "every case stated for it is {cases|or}",
    "permit.min_confidence": "its confidence is {min_confidence} or higher",
    "permit.not_before": "nothing is given before {not_before}",
    "permit.not_after": "nothing is given from {not_after} on",
    "permit.view": "what is given is the view “{view}”",
    "permit.with_names": "the identity named as its creator goes along",
    "permit.source": "the source is hidden, and the giver answers for the object in its own name",
    "permit.purpose": "the receiver may use it only for {purpose|list}",
    "permit.basis": "its legal basis, or each of them, is one of these: {basis|list}",
    "permit.onward": "the receiver {onward}",
    "permit.retention": "the receiver may keep it and use it for {retention} from the release",
    "permit.duty": "the receiver owes {do} within {within}",
    "refer.types": "the object is of the type {types|or}",
    "refer.tlp": "it is marked {tlp|or}, or bears no TLP",
    "refer.pap": "it bears {pap|or}, or no PAP",
    "refer.sectors": "at least one sector stated for it is {sectors|or}, or no sector is stated",
    "refer.countries": "at least one country stated for it is {countries|or}, or no country is stated",
    "refer.caveats": "at least one caveat stated for it is {caveats|or}, or nobody stated its caveats",
    "refer.recipients": "at least one recipient stated for it is one of these offices, all of which the card of "
    "the receiver "
    "names, or no recipient is stated: {recipients|or}",
    "refer.cases": "at least one case stated for it is {cases|or}, or no case is stated",
    "refer.min_confidence": "its confidence is {min_confidence} or higher, or is unknown",
    "refer.not_before": "nothing is given before {not_before}",
    "refer.not_after": "nothing is given from {not_after} on",
    "refer.question": "the question put to the officers is: “{question}”",
    "refer.officers": "the number of different officers who must agree is {officers}",
    "refer.view": "what is given is the view “{view}”",
    "refer.with_names": "the identity named as its creator goes along",
    "refer.source": "the source is hidden, and the giver answers for the object in its own name",
    "refer.purpose": "where purposes are stated for it, at least one of them is named here, and the receiver "
    "may use it "
    "only for {purpose|list}",
    "refer.basis": "its legal basis, or one of them, is one of these, or none is stated: {basis|list}",
    "refer.onward": "the receiver {onward}",
    "refer.retention": "the receiver may keep it and use it for {retention} from the release",
    "refer.duty": "the receiver owes {do} within {within}",
    "prohibit.types": "it is of the type {types|or}",
    "prohibit.tlp": "it is marked {tlp|or}, or bears no TLP",
    "prohibit.pap": "it bears {pap|or}, or no PAP",
    "prohibit.sectors": "at least one sector stated for it is {sectors|or}, or no sector is stated",
    "prohibit.countries": "at least one country stated for it is {countries|or}, or no country is stated",
    "prohibit.caveats": "at least one caveat stated for it is {caveats|or}, or nobody stated its caveats",
    "prohibit.recipients": "at least one recipient stated for it is one of these offices, or no recipient is stated: "
    "{recipients|or}",
    "prohibit.cases": "at least one case stated for it is {cases|or}, or no case is stated",
    "prohibit.not_before": "the time is {not_before} or later",
    "prohibit.not_after": "the time is before {not_after}",
    "prohibit.purpose": "at least one purpose stated for it is one of these, or none is stated: {purpose|list}",
    "prohibit.basis": "its legal basis, or one of them, is one of these, or none is stated: {basis|list}",
    "heading.procedures": "PROCEDURES",
    "procedure": "In the procedure “{table}” nobody has less time than this, which is counted on the calendar named here:",
    "procedure.time": "“{time_name}” lasts at least {stretch}",
    "procedure.zone": "days begin and end by the clock of {zone}",
    "procedure.working": "the days of the week that are worked are {working|and}",
    "procedure.holidays": "no work is done on {holidays|and}",
    "procedure.closes": "a working day is over at {closes}",
    "heading.reservations": "RESERVATIONS",
    "reservation": "{by} reserves its position on clause {clause}: “{text}”",
    "effect.retention": "for what it gives or receives under that clause, the retention is {retention}",
    "effect.onward": "for what it gives or receives under that clause, the receiver {onward}",
    "effect.min_confidence": "for what it gives or receives under that clause, the confidence must be "
    "{min_confidence} or "
    "higher",
    "reservation.objection": "another party may object within {objection_within}",
    "heading.meaning": "HOW THIS TEXT IS READ",
}

_WORDS: Final = {
    "language": {
        "ar": "Arabic (ar)",
        "de": "German (de)",
        "en": "English (en)",
        "es": "Spanish (es)",
        "et": "Estonian (et)",
        "fr": "French (fr)",
        "pt": "Portuguese (pt)",
        "ru": "Russian (ru)",
        "zh": "Chinese (zh)",
    },
    "signatures": {"all": "all the parties"},
    "threshold": {
        "all": "every member but one that it expels",
        "majority": "more than half of the members",
    },
    "silence_rule": {"refusal": "refused"},
    "silence_except": {"reservation": "a reservation"},
    "after_end": {
        "keep under the same conditions": "what was received is kept under the same terms as before",
        "dispose": "what was received is disposed of, and each receiver attests this by its signature",
    },
    "kinds": {
        "csirt": "response team (csirt)",
        "ministry": "ministry",
        "agency": "agency",
        "regional-body": "regional body (regional-body)",
        "company": "company",
        "ngo": "non-governmental organisation (ngo)",
        "other": "other",
    },
    "types": {
        "attack-pattern": "attack pattern (attack-pattern)",
        "course-of-action": "course of action (course-of-action)",
        "autonomous-system": "autonomous system (autonomous-system)",
        "domain-name": "domain name (domain-name)",
        "email-addr": "e-mail address (email-addr)",
        "email-message": "e-mail message (email-message)",
        "intrusion-set": "intrusion set (intrusion-set)",
        "ipv4-addr": "IPv4 address (ipv4-addr)",
        "ipv6-addr": "IPv6 address (ipv6-addr)",
        "mac-addr": "MAC address (mac-addr)",
        "malware-analysis": "malware analysis (malware-analysis)",
        "network-traffic": "network traffic (network-traffic)",
        "observed-data": "observed data (observed-data)",
        "threat-actor": "threat actor (threat-actor)",
        "url": "web address (url)",
        "user-account": "user account (user-account)",
        "windows-registry-key": "Windows registry key (windows-registry-key)",
        "x509-certificate": "X.509 certificate (x509-certificate)",
    },
    "tlp": {
        "clear": "TLP:CLEAR",
        "green": "TLP:GREEN",
        "amber": "TLP:AMBER",
        "amber+strict": "TLP:AMBER+STRICT",
        "red": "TLP:RED",
    },
    "pap": {"clear": "PAP:CLEAR", "green": "PAP:GREEN", "amber": "PAP:AMBER", "red": "PAP:RED"},
    "caveats": {
        "personal-data": "personal data (personal-data)",
        "exercise": "exercise",
        "not-evidence": "not for use as evidence (not-evidence)",
        "use-condition": "a condition of use (use-condition)",
        "chatham": "the Chatham House Rule (chatham)",
        "source-protected": "protection of the source (source-protected)",
        "national-classification": "a national classification (national-classification)",
    },
    "confidence": {
        "none": "none (0)",
        "low": "low (1 to 29 of 100)",
        "med": "medium (30 to 69 of 100)",
        "high": "high (70 to 100 of 100)",
    },
    "purpose": {
        "protect-networks": "the protection of networks and systems",
        "notify-victims": "informing those affected",
        "incident-response": "handling the incident named",
        "situational-awareness": "a common picture of the situation",
        "attribution": "assessing who is responsible",
        "diplomatic-response": "preparing a diplomatic response",
        "law-enforcement": "the prevention, investigation and prosecution of offences, through the competent "
        "authorities only",
        "vulnerability-handling": "mending the vulnerability and informing those who use the product",
        "capacity-building": "training and the building of capacity",
        "exercise": "exercise, apart from real events",
        "research": "research, published only in a form that names nobody",
        "oversight": "audit and democratic oversight",
    },
    "basis": {
        "agreement": "this agreement",
        "consent": "the consent of those concerned",
        "contract": "a contract with those concerned",
        "legal-obligation": "a legal obligation",
        "vital-interests": "the protection of vital interests",
        "task-in-public-interest": "a task carried out in the public interest",
        "legitimate-interest": "the legitimate interest in network and information security",
        "sharing-arrangement": "a cybersecurity information-sharing arrangement",
        "csirts-network": "cooperation in the CSIRTs network",
        "spontaneous-information": "information given without request",
        "mutual-assistance": "a request for mutual assistance",
        "un-norm": "a voluntary norm of responsible state behaviour",
        "national-law": "the national law named in the clause",
    },
    "onward": {
        "none": "passes it on to nobody",
        "clients": "may pass it on to its own clients, as a list that it signed names them, and to nobody else",
        "members": "may pass it on to the other receivers named in this clause, and to nobody else",
        "with-consent": "passes it on to nobody unless the originator has consented to that case",
    },
    "working": {
        "monday": "Monday",
        "tuesday": "Tuesday",
        "wednesday": "Wednesday",
        "thursday": "Thursday",
        "friday": "Friday",
        "saturday": "Saturday",
        "sunday": "Sunday",
    },
    "duty": {
        "receipt": "a signed receipt",
        "sighting-back": "a report of what it sights",
        "dispose": "the disposal of every copy and a signed receipt for it",
        "notify-before-use": "notice to the giver before it acts on the object",
    },
}

_MEANING: Final = (
    "What no clause permits is not given. A marking never permits by itself. An object is given under one "
    "clause only, which "
    "is its title, and the terms of that clause go with it.",
    "Stated means: stated in the object's own markings, or by the officer who took the object in; of two "
    "statements the "
    "stricter counts. What nobody stated is unknown. What is unknown fails a permission that speaks of it and meets a "
    "prohibition that speaks of it; where a clause that leaves the case to officers speaks of it, no permission "
    "gives the "
    "object until they have decided. What a clause does not speak of makes no difference to it.",
    "“unknown (*)” in a list means that the clause holds also where nobody stated the matter.",
    "An empty list, written “nobody” or “nothing at all”, gives nothing: a permission with it is never met, a "
    "prohibition "
    "with it is always met in that point, and a clause that leaves the case to officers still stops every permission.",
    "Prohibitions come first. Next come the law, the TLP, the consent of the originator and the caveats, which "
    "no clause "
    "loosens; then the clauses that leave the case to officers; then permissions. Of several permissions the "
    "one with the "
    "fullest view counts, then the one that entered into force first.",
    "TLP sets the outer limit, and a clause may be narrower. TLP:CLEAR may go to all whom a clause names. "
    "TLP:GREEN may go to the community of the receivers and not to the public. "
    "TLP:AMBER may go to the receiving organisation and to those of its clients who need it to protect themselves. "
    "TLP:AMBER+STRICT may go to the receiving organisation only. TLP:RED may go to named recipients only, by "
    "the decision of "
    "an officer in each case. An object that bears no TLP is given to nobody.",
    "PAP says what may be done with an object. PAP:CLEAR: any lawful use. PAP:GREEN: use that others can "
    "notice, such as "
    "blocking. PAP:AMBER: passive comparison with what the receiver or its suppliers already hold. PAP:RED: "
    "only what cannot "
    "be noticed from outside.",
    "The view “full” is the whole object. The view “indicator” is what the STIX standard requires, the "
    "markings, and what "
    "makes a pattern usable. Any other view is the whole object without what it leaves out. Unless a clause "
    "says so, the "
    "identity named as the creator does not go along. Unless a clause hides the source, the source is named.",
    "Where purposes are stated for an object, it is given under a permission only if every purpose of that "
    "clause is among "
    "them. Who passes an object on does so under the title it came under, and only to those who are "
    "members at that time.",
    "Retention begins at the release. After it the receiver neither uses the object nor passes it on, and "
    "disposes of it. "
    "Disposal is attested by the signature of the party that disposes; it cannot be proved.",
    "Each renewal holds for one lease. A party that has no renewal younger than the lease gives nothing new under this "
    "instrument. A silent depositary therefore stops everyone after one lease.",
    "A party that withdraws or is expelled gets nothing more from those who have heard of it, from the instant "
    "the change of "
    "membership states. Through a party that has not heard of it, giving can continue until that party's lease "
    "expires, and "
    "no longer.",
    "A party may suspend this instrument for itself by signed notice; while the suspension lasts nothing is "
    "given to it or by "
    "it. One change of membership expels one party at most. Where the members are two, either may sign alone a "
    "change that ends new "
    "giving.",
    "A reservation may only be stricter than the clause. It applies from the signature of the party that makes it.",
    "Instants are those of Coordinated Universal Time (UTC). A period includes its first instant and not its "
    "last. A year "
    "counts 365 days, a month 30 days, a day 24 hours.",
    "This text is made from data and the data can be made again from this text without loss; both are signed together.",
)

ENGLISH: Final = Phrasebook(
    id="comity-phrases/1",
    language="en",
    sentences=_SENTENCES,
    words=_WORDS,
    lists={"and": (", ", " and "), "or": (", ", " or "), "list": ("; ", "; ")},
    nobody="nobody",
    nothing="nothing at all",
    unknown="unknown (*)",
    group="the members of “{ref}”",
    units={
        "Y": ("year", "years"),
        "M": ("month", "months"),
        "W": ("week", "weeks"),
        "D": ("day", "days"),
        "H": ("hour", "hours"),
        "MIN": ("minute", "minutes"),
        "S": ("second", "seconds"),
        "WD": ("working day", "working days"),
    },
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    instant="{day} {month} {year} at {time} UTC ({code})",
    duration="{words} ({code})",
    meaning=_MEANING,
)
