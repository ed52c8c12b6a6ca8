"""Every error Comity raises, as one tree, and every code it can carry, as one table.

    ComityError               .code stable, machine-readable   str() one sentence for an officer
    ├── LocalFault            our side: the person, the folder, the rules of our own node
    │   ├── Usage             the words of the call are wrong (exit status 2; HTTP 400)
    │   ├── NotFound          there is no such thing here
    │   ├── NotAllowed        it exists, but this officer or this state does not permit the deed
    │   └── NodeDamaged       what the node holds does not agree with itself
    ├── PeerFault             theirs: what came in breaks a rule; nothing of ours is lost
    │   ├── InputRefused      bytes that are not what they should be: an object, a file, a card, an agreement
    │   ├── SealBroken        a signature, commitment or proof does not hold
    │   ├── LogFault          a log was forked, rolled back, or convicts itself
    │   └── RequestRefused    an unsigned, replayed, misaddressed or untimely request
    └── Unavailable           nobody's: the store is busy, a peer does not answer; the only family that is retried

A refusal to release is never an error: it is a `Withhold` with its reasons. Each code stands once in `CODES`, with what it
means and what to do; `docs/errors.md` is held equal to it by a test.
"""

from __future__ import annotations

from typing import Any, Final


class ComityError(Exception):
    """One sentence for an officer, with a stable code.

    Args:
        code: A key of `CODES`.
        sentence: What is wrong and what to do, one sentence, ending with a full stop.
        clause: The clause of the standard or agreement that is broken, e.g. ``STIX 2.1 §3.2``; None where there is none.
        detail: JSON-ready facts for a machine (an object id, a line number, an instant).
    """

    def __init__(self, code: str, sentence: str, *, clause: str | None = None, **detail: Any) -> None:
        if code not in CODES:
            raise KeyError(f"error code {code!r} is not in comity.kernel.errors.CODES")
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.clause = clause
        self.detail = detail

    def as_json(self) -> dict[str, Any]:
        """The one shape of an error on every face: {code, sentence, clause?, detail?}."""
        shape: dict[str, Any] = {"code": self.code, "sentence": self.sentence}
        if self.clause is not None:
            shape["clause"] = self.clause
        if self.detail:
            shape["detail"] = self.detail
        return shape


class LocalFault(ComityError):
    """Our side is at fault: the person, the folder, or a rule of this node."""


class Usage(LocalFault):
    """The words of the call are wrong."""


class NotFound(LocalFault):
    """There is no such thing here (or the asker may not know of it: the answer is the same)."""


class NotAllowed(LocalFault):
    """The deed is not permitted to this officer, or not in this state."""


class NodeDamaged(LocalFault):
    """What the node holds does not agree with itself."""


class PeerFault(ComityError):
    """What came from outside breaks a rule."""


class InputRefused(PeerFault):
    """Bytes that are not what they should be."""


class SealBroken(PeerFault):
    """A signature, a commitment or a proof does not hold."""


class LogFault(PeerFault):
    """A log was forked, rolled back, or convicts itself."""


class RequestRefused(PeerFault):
    """A request is unsigned, replayed, misaddressed, untimely or too much."""


class Unavailable(ComityError):
    """Nobody's fault: try again later."""


CODES: Final[dict[str, str]] = {
    # --- model: what an object may be
    "timestamp": "A timestamp is malformed or names no real instant. Write it as 2021-03-02T12:00:00.000Z.",
    "duration": "A duration is malformed. Write it as P30D, P1Y or PT24H.",
    "json-syntax": "The bytes are not one JSON value (RFC 8259). Send the file as the producer wrote it, whole and unedited.",
    "json-trailing": "Something follows the JSON value. Send one JSON value a file.",
    "json-encoding": "The bytes are not UTF-8 without a byte order mark. Save the file as UTF-8.",
    "json-duplicate-key": "A JSON object says the same key twice, so readers would disagree about it. Ask the producer which value holds.",
    "json-number": "A number is beyond what every reader holds exactly (integers to 2^53-1, no NaN or Infinity). Write it as text.",
    "json-surrogate": "Text holds half of a surrogate pair and is no Unicode text. Ask the producer for the proper character.",
    "json-depth": "Lists and objects are nested too deeply. Nothing lawful needs this; ask the producer what it is.",
    "json-size": "One JSON value is larger than the limit. Split it, or raise the limit of the node.",
    "bundle": "The file is not a STIX bundle, TAXII envelope, JSON array or object. Send one of these.",
    "bundle-truncated": "The file ends in the middle of an object. Transfer it again.",
    "stix-2.0": "The object is STIX 2.0. Import the file, which upgrades it, or ask for STIX 2.1.",
    "stix-object": "The value is not a STIX object: it has no usable type or id, or is a bundle. Send the objects themselves.",
    "stix-required": "A required property is missing. Ask the producer to add it.",
    "stix-kind": "A property has a value of the wrong kind or form. Ask the producer to correct it.",
    "stix-id": "An identifier is not <type>--<UUID> of the type it must have. Ask the producer to correct it.",
    "stix-empty": "A list or dictionary is empty, which STIX forbids. Leave the property out instead.",
    "stix-name": "A property or dictionary key has a name STIX does not allow or reserves. Ask the producer to rename it.",
    "stix-vocabulary": "A value is not in the closed vocabulary of its property. Use one of the listed words.",
    "stix-order": "Two instants are in the wrong order. Ask the producer which one is right.",
    "stix-rule": "Properties that depend on each other disagree. Ask the producer to correct the object.",
    "stix-reference": "A reference names an object of a type it must not. Ask the producer to correct it.",
    "stix-selector": "A granular marking points at nothing in the object, so nobody can tell what it protects. Ask for it to be corrected.",
    "stix-marking": "A marking definition is not what the standard fixes, or marks itself. Use the published one.",
    "stix-extension": "An extension breaks the rules for extensions. Ask the producer to correct it.",
    "pattern": "A STIX pattern does not follow the grammar, or is too long or deep. The column tells where.",
    # --- seal: keys, cards, signatures, commitments, views
    "not-canonical": "A value has no RFC 8785 form: a number that is not finite or beyond 2^53, or text with a lone surrogate.",
    "bad-key": "A key is no Ed25519 key, or one with which anybody could sign. Ask its owner for another.",
    "seed-size": "A seed has not 32 bytes or a salt not 16. Give fresh random bytes of that length.",
    "bad-signature": "A signature does not hold: another key made it, or what it signed was changed. Do not rely on it.",
    "unknown-signer": "None of the signatures is by a key we hold for that party. Get its present card and compare fingerprints.",
    "below-threshold": "Fewer have signed than must. Wait for the other signatures.",
    "wrong-type": "A signed envelope is of another kind than the one expected here. Use it where it belongs.",
    "envelope-malformed": "The bytes are no signed envelope in the one spelling it has. Ask the sender for it again.",
    "envelope-not-canonical": "What an envelope signs is not one JSON object in RFC 8785 form. Ask the sender to sign it again.",
    "envelope-kind": "A kind of envelope must be a lower-case word such as seal or card. Correct the call.",
    "no-signer": "Nothing can be signed without a key. Give at least one.",
    "opening-refused": "What was opened is not what was committed to. Do not rely on it.",
    "not-sealable": "An object cannot be committed to property by property. Correct the property that is named.",
    "disclosure-malformed": "A disclosure is not a list of opened and hidden leaves in their order. Ask the sender for it again.",
    "view-not-opened": "The view does not hold exactly what the disclosure opens: something was added, taken out or moved.",
    "commitment-broken": "The properties shown are not those the seal was made for. Do not rely on them.",
    "seal-malformed": "A seal lacks a member or has one of the wrong form. Ask its party to seal the object again.",
    "seal-other-object": "A seal is for another object or another version than the one shown. Ask for the seal of this one.",
    "marking-removed": "A redacted view lacks a marking of the sealed object. Refuse it, and ask the sender why.",
    "seal-call": "A seal was asked for that cannot be made: an unknown role, or no original for a hidden source. Correct the call.",
    "view-fixed": "A view names a property that no view may remove: type, id, version, creator or markings. Take it off the list.",
    "source-not-hideable": "The source of an object cannot be hidden: it is our own, or what must stay names the source.",
    "card-malformed": "A card lacks a member or has one of the wrong form. Ask its party for the card again.",
    "card-name": "The name in a card holds characters that nobody sees, is too long, or is not in normal form. Ask the party for a plain name.",
    "card-party": "A card's party id is not that of its first identity key, or it changed. It is somebody else's card.",
    "card-needs-chain": "A card is signed by a later identity key only. Ask for all cards of the party from the first one on.",
    "card-chain": "A card does not follow the one before it: serial, previous, instant or signature is wrong. Ask for the missing one.",
    "card-rewrites-keys": "A card changes the past of a key: when it began, when it ended, or brings an ended one back. Refuse it.",
    "key-not-valid": "A key was not valid at that instant: not yet, or no longer. Ask for a signature with the present key.",
    # --- tlog: log, checkpoints, proofs, promises
    "log-frontier": "The state of a growing tree does not fit its size. Load it again from the stored tiles.",
    "log-position": "The log has no such position or size yet. Wait for a later checkpoint.",
    "log-tile": "There is no such tile, or not that much of it yet. Ask only for tiles that a checkpoint requires.",
    "log-tile-damaged": "A tile has not the bytes it must have. Run doctor where it is ours, ask again where it is a peer's.",
    "inclusion-proof": "A proof does not show that the leaf is in the log of that checkpoint. Ask for the proof again.",
    "consistency-proof": "A proof does not show that one log begins with the other. Ask again; without one the log is not to be believed.",
    "tick": "An instant or a tick lies before the log began, or a place outside its 4,096. Check the clock.",
    "tick-proof": "A proof does not show the act in the tree of its tick. Ask for the proof again.",
    "row-proof": "A proof does not show the row in the page of its delivery. Ask for the page again.",
    "page": "A delivery page has more than 1,024 rows or a row that cannot be written. Make a smaller page.",
    "note": "The text of a checkpoint or proof breaks the C2SP form. Ask for it again.",
    "note-signature": "A checkpoint is not signed by the log's key, or the signature does not hold. Do not rely on it.",
    "log-origin": "A checkpoint or promise speaks of another log than the one that was asked for.",
    "log-fork": "Two signed checkpoints or promises of one log cannot both be true. Keep the evidence, show it to the other parties.",
    "log-rolled-back": "A log shows an earlier state or life than it showed before: an old copy of that node runs. Put it back with restore.",
    "fork-evidence": "The evidence does not show a fork. Nobody is convicted by it.",
    "promise": "A promise is malformed or does not speak of this act. Ask the peer for its promise again.",
    "promise-broken": "A log proves another act in a place it had promised. Keep promise and proof: together they convict it.",
    "act": "An act is malformed or of an unknown kind. The sender must make it again.",
    "act-opening": "A salt and an act do not open the leaf they are said to open.",
    "proof-bundle": "A proof bundle is damaged or incomplete. Ask the sender for it again.",
    # --- release: agreements and decisions
    "agreement-syntax": "The agreement file is not TOML 1.0, or the signed form is not its JSON. Mend the line that is named.",
    "agreement-size": "The agreement is larger or more deeply nested than any real one. Split it into several.",
    "agreement-unknown-key": "A key is not of the agreement language. Correct its spelling; the nearest key is named.",
    "agreement-missing-key": "A required key is missing, and no default gives. Write it.",
    "agreement-unknown-word": "A word is not on the closed list of its key. Use one of the list; the nearest is named.",
    "agreement-kind": "A value has the wrong type: text, list, whole number, instant or table. Write it as docs/agreement-language.md shows.",
    "agreement-value": "A value has a form its key does not allow. Write it as docs/agreement-language.md shows.",
    "agreement-instant": "An instant is a bare date or has no offset, so nobody knows when it is. Write it as 2021-03-05T12:00:00Z.",
    "agreement-reference": "A ref names no party, group, view or clause of this agreement. Define it, or correct the spelling.",
    "agreement-duplicate": "Something that must be unique stands twice. Remove or rename one of them.",
    "agreement-language": "Free text is missing in an authentic language, or stands in one that is not. Write it in exactly these.",
    "agreement-name": "A name or text could deceive the eye: invisible, reversing or look-alike characters. Write it plainly.",
    "agreement-rule": "Keys of the agreement contradict each other. Change one of them.",
    "agreement-reservation": "A reservation would loosen a clause. A reservation may only be stricter.",
    "agreement-phrases": "The readable text needs a phrasebook this node does not have. Use a known one, or read the text as signed.",
    "agreement-text": "A readable text is not what the phrasebook writes. Use the text as it was rendered, unchanged.",
    "agreement-altered": "The readable text of a signed agreement is not what its data say. Do not sign or execute it; ask the sender.",
    "template": "A template of an agreement is for another number of parties. Name as many as it needs.",
    "membership-malformed": "An epoch, renewal, suspension or withdrawal is not of the form docs/formats/membership.md gives. Ask the signer again.",
    "epoch-order": "An epoch does not follow the one in force. Get the epochs in between from the depositary.",
    "epoch-signatures": "An epoch lacks a signature it needs: the depositary's, or enough of the members'. Wait for them.",
    "epoch-member": "An epoch admits a party the agreement does not let in. Ask the depositary which rule it used.",
    "renewal-signer": "A renewal is signed by a party that may not renew, or not yet. Only the depositary may, and after silence its successor.",
    "renewal-term": "A renewal ends before it begins, lasts longer than the lease, or names an epoch nobody knows. Ask the depositary.",
    "withdrawal-notice": "A withdrawal takes effect before the period of notice is over. Give a later instant.",
    "handling": "A handling states something that is none: an unknown key, level or caveat. Use the words docs/formats/facets.md gives.",
    # --- procedure: committed positions
    "position-round": "A round of positions has rules that cannot work: who is due, trustees, threshold or instants. Correct them.",
    "position-size": "A position is longer than the largest bucket. Refer to long papers by their digest.",
    "position-malformed": "A paper of a round of positions lacks a member or has one of the wrong form. Ask its signer for it again.",
    "position-other": "A paper is for another procedure, round, rule or commitment than the one at hand. Use it where it belongs.",
    "position-not-named": "A party has no position to give in this round, or holds no share of it. Nothing of it counts.",
    "position-late": "A commitment came after its round had closed. It does not count, and its author reads as not committed.",
    "position-rival": "An author committed a second time to something else. The first stands; keep both, they convict it.",
    "position-early": "An opening or a share came before its round allows it. Send it again when all are in or the instant has come.",
    "position-secret": "The salt, key and position kept for an opening are not of this commitment. Look for the right ones; nothing was signed.",
    "position-opening": "What was opened is not what was committed to. Keep both papers: together they convict the author.",
    "position-share": "A share is not the one that was committed to. Keep both papers: together they convict whoever signed it.",
    "position-shares": "Fewer shares are released than open a position. Ask the trustees that are named.",
    "position-dealing": "The shares dealt are those committed to and do not open what was committed to. Keep them: they convict the author.",
    "position-evidence": "The papers do not show the misdeed they are said to show. Nobody is convicted by them.",
    # --- procedure: negotiated texts
    "text-form": "This is not a negotiated text, a paragraph or an operation in its form. Write it as docs/formats/texts.md shows.",
    "text-words": "The words of a paragraph, reason or comment are empty, too long, or hold what a reader cannot see. Correct them.",
    "text-language": "A wording must stand in exactly the authentic languages of the text. Give each one and no other.",
    "text-party": "A party does not negotiate this text. Only those it names may act on it.",
    "text-paragraph": "There is no such paragraph, or its id is taken. Use the ids of the text at hand.",
    "text-alternative": "The paragraph has no such alternative. Look at it as it stands now.",
    "text-stale": "The paragraph was changed since this was made. Read it as it stands now and decide again.",
    "text-own": "A party cannot do this to a proposal that is its own, or not its own. The sentence says what it can do.",
    # --- procedure: state tables, the convener's ledger
    "procedure-table": "A state table is not well formed, has a row no case comes to, or a state that traps a case. Mend the row that is named.",
    "procedure-charter": "The act that opens a procedure has no charter that fits its state table. Ask the convener to open it again.",
    "procedure-calendar": "A stretch of time, a zone or a calendar cannot be counted. Write PT24H, P3D, P1M or 3 working days.",
    "procedure-clock": "The data of a clock are not well formed. Mend the clock that is named.",
    "procedure-act": "An act of a procedure is malformed, of another procedure, or of nobody who takes part. Its author must make it again.",
    "step-state": "The state of the case has no such act. Look which acts it has now.",
    "step-who": "The act is not for this party in this procedure. Ask who may do it.",
    "step-open": "The public part of an act has not the members its kind asks for. Make the act again.",
    "step-officer": "The act needs an officer, and none stands behind it. Let an officer with the mandate do it.",
    "step-future": "The act names an instant that has not come yet. Set the clock right and make it again.",
    "step-guard": "A condition of the act does not hold. The sentence names it; try again when it does.",
    "step-text": "The act is about another text than the one on the table. Read that one and act again.",
    "step-window": "A clock would run too short, or would be moved back. Name a later instant.",
    "step-recorded": "Another party's word cannot be recorded like this. The sentence says why; ask the party to say it itself.",
    "ledger-entry": "An entry of a ledger is malformed or of another procedure. Ask its convener for it again.",
    "ledger-follow": "An entry does not follow the ledger it claims to stand in. Keep the whole ledger: it convicts the convener.",
    "ledger-promise": "A promise of a ledger is malformed or of another procedure. Ask its convener for it again.",
    "ledger-standing": "A standing of a ledger is malformed, or does not show what its entries lead to. Keep both, and ask another participant.",
    "ledger-evidence": "The papers do not show a fault. Nobody is convicted by them.",
    # --- exchange: the conversation of two nodes
    "message": "A message of a peer breaks the form of the exchange. The peer must update or repair its node.",
    "message-version": "A message is of a form or feature level that this release does not know. Update the older of the two nodes.",
    "message-size": "A message is larger than the limit. The peer must send smaller pages.",
    "message-limit": "A part of a message holds more than the limit allows. The peer must send less at a time.",
    "message-party": "A message names another sender or addressee than the request did. Nothing of it was taken.",
    "stream-gap": "Rows of a stream are missing before those that came. The peer must send the missing ones first.",
    "stream-order": "Objects came before the last control item. The peer must send control first.",
    "stream-cursor": "A peer says it has rows that were never sent to it. Ask its officer what it restored.",
    "receipt-unknown": "A receipt does not fit any delivery. It is not counted.",
    "request-signature": "A request is unsigned, signs too little, or its signature does not hold. Nothing of it was done.",
    "request-key": "A request is signed by a key no known card lists. Exchange cards first.",
    "request-digest": "The body of a request or answer is not the one that was signed. Send it again.",
    "request-addressee": "A request is meant for another party. Check the address and party of the peer.",
    "request-replayed": "A request came a second time. It was done once and not again.",
    "clock": "A request lies outside its time: the clocks of the two nodes differ. Compare with the instant in the detail and set the clock.",
    "response-signature": "An answer is not signed by the peer's key for this request. Nothing of it was taken.",
    "peer-url": "The address of a peer is not one that a node calls. Correct its card or the peer entry.",
    "address-refused": "The name of a peer leads to an address that is not called. Allow private addresses for this peer if it is on a private network.",
    "tls-pin": "The server has another key than the peer's card says. Compare cards; somebody may stand in between.",
    "peer-unreachable": "A peer does not answer. It will be tried again.",
    "peer-busy": "A peer has no time now. It will be tried again.",
    "peer-answer": "A peer answered with something a node does not say: too large, another type, a redirect. Check its address.",
    "peer-refused": "A peer refused the request; its code and sentence stand in the detail.",
    "taxii-answer": "A TAXII server answered with something that cannot be used. Check its address, collection and version.",
    "taxii-refused": "A TAXII server refused the request. Check the credentials and the collection.",
    "pack": "The file is not a pack, or a part of it that is none. Ask the sender for it again.",
    "pack-altered": "A pack was cut short or changed on its way, or is not signed by its sender. Ask for it again.",
    "pack-addressee": "A pack is meant for another party or another key. Hand it on, or give the sender your newest card.",
    "pack-part": "A part of a pack is missing or belongs to another pack. Bring the missing part; what was read stays.",
    "pack-replayed": "A pack was taken in before. Nothing is to be done.",
    "pack-split": "The size to split a pack at is too small. Give at least 32 KiB.",
    # --- store
    "row-exists": "A row with this key is already kept; the deed was done before or two writers collided. Nothing was changed.",
    "store-busy": "Another writer holds the store. Try again in a moment.",
    "store-full": "The disk is full or not writable; nothing was acknowledged. Make room and try again.",
    "store-newer": "This folder was written by a newer release. Use that release or restore a backup.",
    "store-older": "This folder was written by an older release. Open it with the release that wrote it, and ask for a release that reads both.",
    "store-damaged": "The database file is damaged. Run `comity doctor`, and restore a backup if it finds anything.",
    "store-unusable": "The database cannot be opened: no such folder, no permission, or not a Comity database. Check the path.",
    "store-exists": "There is a file in the place where a new one should go, and nothing is overwritten. Choose another name.",
    "database-url": "The database URL is of no kind this release can use. Write sqlite:///PATH.",
    "row-value": "A value cannot be kept by every store: wrong type, beyond 64 bits, or half of a surrogate pair. Correct the input.",
    # --- keys
    "key-exposed": "Others on this machine can read or change a key. Check who had access, run chmod 600 on it, or make a new key.",
    "key-missing": "There is no key for this use in the node's folder. Run `comity init`, or restore the folder.",
    "key-damaged": "A key file is not what Comity wrote, or names another key than it holds. Restore it from a backup.",
    "key-use": "There is no such use of a key. Say identity, node, log or tls.",
    "key-name": "The name is no host name or IP address a certificate can carry. Write it as node.example.org or 192.0.2.7.",
    # --- node: deeds
    "attachment-act": "A file came with an act that does not hand it to us. Nothing of it was kept; ask the sender.",
    "attachment-answer": "A peer gave more, less or something else than the chunks of a file it was asked for. Nothing of it was kept.",
    "attachment-ask": "A request for a file does not have the form of docs/formats/attachments.md.",
    "attachment-changed": "A file changed while it was added. Add it again when nobody writes to it.",
    "attachment-chunk": "A peer gave a chunk that is not of the file the artifact names. It was not kept; ask the artifact's author.",
    "attachment-damaged": "The bytes kept of a file are not those its artifact names. Forget the file and fetch it again, or restore a backup.",
    "attachment-digest": "All chunks of a file came, and its SHA-256 is not the one its artifact names. The bytes were erased; ask its author.",
    "attachment-disposal": "A party says that it disposed of a file it was never handed. It was noted.",
    "attachment-form": "An artifact does not say which file it refers to as docs/formats/attachments.md has it.",
    "attachment-gone": "An artifact was taken back or forgotten while its bytes were fetched. Nothing more was asked for.",
    "attachment-name": "A name cannot be that of a file: too long, or with parts of a path or characters that a terminal obeys. Say another.",
    "attachment-none": "The artifact refers to no file that could be had, or is no longer given to us.",
    "attachment-not-here": "The bytes of a file are not kept here. `comity attachment fetch` asks the party that gave the artifact.",
    "attachment-ours": "The artifact is of our own; nobody else is asked for its bytes.",
    "attachment-reason": "A disposal needs a reason, which stands in the record.",
    "attachment-size": "A file is larger than one that can be kept. Split it.",
    "attachment-unknown": "No file is given to the asker under this object now. Whether there is one is not said.",
    "attachment-which": "Several parties give different files under one id. Say whose is meant.",
    "custody-entry": "An entry of a chain of custody lacks a digest, is dated in the future, or does not have its form.",
    "peer-quota": "A party sent as much as it may in a day. What goes beyond is taken later; `comity peer limit` sets how much that is.",
    "quota": "A limit of what a party may send in a day names nothing that is counted, or is no number from 1 on.",
    "title-not-yet": "Objects came under an agreement not all parties are known here to have signed. The page is taken once their papers are.",
    "paper-file": "This is not a paper of an agreement. Ask for what `comity agreement sign --output FILE` writes.",
    "page-not-believed": "A delivery's act does not commit to the rows it came with. Nothing of it was taken; ask the sender.",
    "promise-other-act": "A promise of a log names another act than the one it came with. It was not taken; ask the sender.",
    "seal-missing": "An object came from a peer without a seal. It was not taken; ask the sender to seal it.",
    "sealer-unknown": "An object was sealed by a party whose card is not known here. Add and verify that card, then ask again.",
    "title-unknown": "An object came under a clause that does not give from that party to us. It was not taken.",
    "row-other-object": "A row names one object and carries another. It was not taken; ask the sender.",
    "taken-back": "The sender took the object back.",
    "terms": "The terms that came with a row are not in a form known here. The row was not taken.",
    "sealed-file": "The file holds no sealed objects in a form that is known here. Ask for what `comity sign` writes.",
    "no-card": "What is asked for needs the party's card. Make one with `comity card new`, and name it.",
    "sign-refused": "Nothing was signed. Read what is shown, then say --yes.",
    "card-file": "This is not a card file. Ask for what `comity card show --output FILE` writes.",
    "not-given": "The object was not handed over between these two parties, so there is nothing to prove.",
    "proof-not-due": "The tick of the log in which the act stands is not over yet, or its proof was not fetched. Ask again later.",
    "restore-unfinished": "A backup was put back only halfway, so the node could sign a second history. Restore it again.",
    "publication": "An object or its handling cannot be public. The sentence says why; correct it and schedule it again.",
    "publication-instant": "An appointed instant is over, or the last one lies before it. Appoint an instant that is to come.",
    "publication-over": "The publication went out or was withdrawn, so nothing more can be said of it. Schedule a later version.",
    "publication-changed": "Another object or instant stands than the officer was shown. Look at what stands now, then say go.",
    "publication-late": "The last instant at which the publication goes out is over. An officer must appoint another.",
    "publication-moved": "The instant for which go was said is not appointed any more in its case. Say go for the instant that is.",
    "no-publication": "No publication of this object is appointed here.",
    "public-record": "A public record or one of its items is damaged, or says what its signatures do not. Ask its publisher for it again.",
    "proof-lost": "The act stood in a part of the log that was lost before a backup was restored. It cannot be proved any more.",
    "no-such-act": "The log of this node has no act of that digest.",
    "clock-back": "The clock stands before what this node has already acted on. Set it right; nothing is released until then.",
    "node-damaged": "The node's folder lacks something it must have, or two parts of it disagree. Run doctor; restore a backup.",
    "desk-asked": "What was asked does not have the form that this deed of a desk asks for.",
    "desk-object": "An object does not have the form of its kind; it is kept as it came.",
    "case-draft": "A draft of an entry does not follow what stands in the case, or is not known here.",
    "case-paper": "A paper of a case has no form, or the case is not one that its convener opened with us.",
    "case-agreement": "The case gives less time than an agreement in force says. Ask its convener to open it anew as agreed.",
    "case-party": "A party that is to take part in a case has no card here.",
    "no-text": "No text is on the table of this case, or it has not come here yet.",
    "no-position": "No position of ours is committed in this round.",
    "no-position-round": "No round of positions was asked for in this case, or it has not come.",
    "no-such-case": "No case of this id or title is known here.",
    "no-such-fact": "No reference list, or no fact of it, has this name. The sentence says what there is.",
    "position-committed": "A position of ours is committed already, and a commitment cannot be changed.",
    "no-such-object": "No object with this id is held here.",
    "not-carried": "No clause lets this go to the party it is for, so nothing was kept. The sentence says what stands in the way.",
    "not-ours": "An object is another party's word, and only that party can change it.",
    "no-such-party": "No party of this name or id is known here. Add its card first.",
    "no-such-agreement": "No agreement with this digest or title is known here.",
    "no-such-officer": "No officer with this name is known here.",
    "ambiguous-name": "The name fits more than one. Write more of it, or the id.",
    "token-needed": "This deed releases, signs or administers: it needs an officer's token.",
    "token-unknown": "The token is not one this node gave, or it has ended.",
    "role-missing": "The officer does not have the role this deed needs.",
    "mandate-missing": "The officer has the role and no mandate for this deed. The sentence names who holds one; an officer with the role admin gives them.",
    "mandate-ceiling": "The deed goes higher than the officer's mandate. The sentence names who holds one that reaches it.",
    "mandate-over": "The officer's mandate for this deed has ended, has not begun, or waits to be confirmed. The sentence names who holds one.",
    "mandate-form": "What was said makes no mandate. The sentence names what is wrong.",
    "mandate-alone": "Nobody gives himself a mandate alone. Another officer with the role admin has to confirm it.",
    "opening": "The file is no opening of an act, or what it opens does not hold. Ask for it again, and do not rely on this one.",
    "no-such-mandate": "No mandate of that id was given here. Look how it is written.",
    "second-officer": "The agreement asks for another officer; the same officer does not count twice.",
    "not-referred": "No clause refers this object to an officer for this party, so there is nothing to approve.",
    "already-done": "This was done before; nothing was changed.",
    "fingerprint-differs": "The fingerprint read aloud is not the fingerprint of this card. Do not trust it; ask again.",
    "card-conflict": "Two different cards carry the same serial number; the party must say which one holds.",
    "not-a-party": "We, or the other, are not a party to this agreement.",
    "identity-offline": "The identity key is not in this node's folder; sign where it lives.",
    # --- formats: files taken in
    "no-object": "The file gave no object: it is empty, or every part of it was refused. Look at the refusals, or choose another file.",
    "not-taken": "The file is of a kind that is not taken in; the sentence names what was seen. Convert it, or extract the indicators.",
    "wrong-encoding": "The text is not UTF-8; the sentence names what was seen. Save it as UTF-8.",
    "gzip-broken": "A gzip file is damaged or ends too early. Fetch it again.",
    "bomb": "A compressed file inflates far beyond what real files do. Do not take it in; ask who made it.",
    "csv-header": "No column of the table is known to hold values. Name one by a mapping.",
    "csv-mapping": "The mapping names a column that is not there or a meaning nobody knows. Correct it.",
    "csv-row": "A row or line cannot be read: too long, too wide, an open quote, or no text. Mend it in the file.",
    "csv-value": "The value of a row is not of its type, or its type cannot be told. Correct it, or name its type.",
    "marking-unknown": "A TLP or PAP marking is not understood, so nobody knows who may see it. Write it as the standard does.",
    "kev-entry": "An entry of the catalogue has no CVE number. Fetch the catalogue again.",
    "misp-event": "The JSON is no MISP event, or an event with nothing in it. Export it from MISP again.",
    "galaxy-cluster": "A MISP cluster has no name, or its kind has no STIX form. It is kept where it came with an event.",
    "stix20": "A STIX 2.0 object carries observables that cannot be read. Ask the producer to correct it.",
    # --- notices
    "notify-failed": "A person could not be told that something waits. The sentence says why; the next one is told in turn.",
    "notify-config": "The file notify.toml in the node's folder cannot be used. Mend what the sentence names.",
    # --- documents
    "document-extra": "This node cannot set the document in that form. Install what the sentence names, or ask for txt or json.",
    "document-file": "The file is no Word document that a node made, or holds what such a one must not. Export it again, edit that with changes tracked, and save it as .docx.",
    # --- desk attribution
    "dossier-incomplete": "A part that norm 13(b) asks for is missing. Say it, or waive it with a reason.",
    "evidence-given": "A piece of evidence was given to others, so its class cannot become narrower. Take it back first.",
    # --- desk cases
    "no-evidence": "Nothing that came in this case convicts anybody.",
    # --- desk directory
    "no-such-office": "No office of this name is in the directory. The list of contacts shows those that are.",
    "directory-file": "The file is not of the form its kind asks for; the sentence and the clause say what is wrong.",
    "not-exported": "The office cannot be said in a file of this kind. The sentence says what it lacks.",
    # --- desk measures
    "measure-state": "The measure or the listing does not stand where this deed begins; the sentence says what comes first.",
    "measure-attribution": "The measure needs an attribution that is not there. Name the statement, or waive it with a reason.",
    "measure-not-given": "A party that is to decide on the measure was not given it, so it would vote on what it cannot read.",
    "listing-incomplete": "A part of the regime's test is neither met nor waived with a reason.",
    "listing-subject": "The file is no person or body as FollowTheMoney writes it.",
    "evidence-original": "An object cannot be made into a piece of a releasable evidence pack. The sentence says why.",
    # --- desk statements
    "statement-case": "A deed on a joint statement that the case or our part in it does not allow: no instant is appointed, or we did not join.",
    "statement-texts": "A statement that is to be published has no text that is certified or authentic. Certify one first.",
    "not-public": "A statement is not public, as far as is known here, so nobody can be shown it or align with it in public.",
    # --- faces
    "demo-broken": "A step of the demo did not end as it must. The sentence names the step; the folder of the demo stays.",
    "no-node": "There is no node in this folder. Make one with `comity init`, or name its folder with --home or COMITY_HOME.",
    "no-endpoint": "The card of this party names no address to call. Carry a pack by hand, or ask for a new card.",
    "no-backup": "The folder is no backup of a node. Name the folder that `comity backup` wrote.",
    "no-collection": "The TAXII server has no such collection, or several that fit. Say which with --collection.",
    "not-plain": "The party runs a node, so what it gets goes by exchange, with terms and proofs. Use `comity sync`.",
    "command-line": "The words of the command are wrong. `comity --help` shows the commands, `--help` after one its options.",
    "file-unreadable": "A file cannot be read or written: it is not there, or not permitted. Check its name and rights.",
    "file-size": "The file is larger than any of its kind is. Check which file was meant.",
    "output-needed": "With --json the data cannot stand on stdout beside the answer. Say --output FILE.",
    "stopped": "The command was stopped by Ctrl-C. The sentence says what is kept; run it again to go on.",
    "internal": "Comity made a mistake of its own. What was acknowledged is kept; report it with what COMITY_DEBUG=1 shows.",
    "not-built": "This part of the release is not there. Use a release that has it.",
    "no-such-page": "There is nothing at this address, or not for this asker. Check the address; TAXII addresses end with a slash.",
    "method": "This address does not take requests of this method. See docs/rest.md and docs/formats/taxii.md.",
    "request-parameter": "A parameter or member of the request is missing or has no such form. The sentence names it.",
    "body-size": "The body of the request is larger than this node takes. Send it in parts.",
    "content-type": "The body is not of the type that is taken at this address. Send it as its documentation says.",
    "content-encoding": "Compressed bodies are not taken. Send the body as it is.",
    "accept": "The asker does not accept what is given here. For TAXII say Accept: application/taxii+json;version=2.1.",
    "tls-required": "A server that others can reach needs a certificate. Give one, or bind to 127.0.0.1.",
    "address-in-use": "The server cannot be bound to this address. Is another one running there? Choose another port.",
    "taxii-envelope": 'The body is not a TAXII envelope with at least one object. Send {"objects": [...]}.',
    "taxii-query": "A parameter of a TAXII request has a form the standard does not allow, or is not known. The sentence names it.",
    "taxii-cursor": "The value of next was not given by this node for this token and query. Begin again without it.",
    "no-such-collection": "There is no such collection for this token.",
    "no-such-status": "There is no such status for this token.",
    "collection-read-only": "Nothing can be put into or taken out of this collection. Use inbox.",
    "submission-definition": "A reader cannot bring a marking definition, because it decides how others are handled. Ask an officer to take it in.",
    "no-checkpoint": "The log of this node has no checkpoint yet. Ask again when its first tick is over.",
}
