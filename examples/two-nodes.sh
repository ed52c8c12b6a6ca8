#!/usr/bin/env bash
# Two response teams on one machine: cards compared, an agreement signed, indicators exchanged, each release explained.
set -euo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
PATH="$here/.venv/bin:$PATH"
work="$(mktemp -d)"
a="$work/a" b="$work/b"
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
field() { python3 -c 'import json, sys; print(json.loads(sys.stdin.read().strip().splitlines()[-1])[sys.argv[1]])' "$1"; }

# Each party founds its node; b is reached on loopback over TLS.
port_b="$(port)"
comity --home "$a" init --party "Team A" --kind csirt --country XA --tick 1
comity --home "$b" init --party "Team B" --kind csirt --country XB --tick 1 --url "https://127.0.0.1:$port_b"
token_a="$(comity --home "$a" officer add "Duty officer A" --role sign --role admin --role audit --json | field token)"
token_b="$(comity --home "$b" officer add "Duty officer B" --role sign --role admin --role audit --json | field token)"
comity --home "$b" serve --port "$port_b" --every 1 >"$work/b.log" 2>&1 &
trap 'kill %1 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

# Cards change hands as files; the fingerprints are compared by telephone.
comity --home "$a" card show --output "$work/a.card"
comity --home "$b" card show --output "$work/b.card"
print_a="$(comity --home "$a" card show --json | field fingerprint)"
print_b="$(comity --home "$b" card show --json | field fingerprint)"
comity --home "$a" card add "$work/b.card"
comity --home "$b" card add "$work/a.card"
COMITY_TOKEN="$token_a" comity --home "$a" card verify "Team B" --fingerprint "$print_b" --method telephone
COMITY_TOKEN="$token_b" comity --home "$b" card verify "Team A" --fingerprint "$print_a" --method telephone

# Team A takes in what Volexity published, and states what it is: TLP, basis, purpose, no caveats.
comity --home "$a" import "$here/src/comity/data/exchange-2021/volexity-exchange-marauder-indicators.csv" \
  --tlp green --basis agreement --purpose protect-networks --no-caveats

# A draft, read and previewed before anybody signs; then both sign the same text.
comity --home "$a" agreement draft --template bilateral --party "a=Team A" --party "b=Team B" --output "$work/agreement.toml"
comity --home "$a" agreement preview "$work/agreement.toml"
digest="$(comity --home "$a" agreement receive "$work/agreement.toml" --json | field digest)"
comity --home "$b" agreement receive "$work/agreement.toml"
COMITY_TOKEN="$token_a" comity --home "$a" agreement sign "$digest"
COMITY_TOKEN="$token_b" comity --home "$b" agreement sign "$digest"

# One contact carries both directions; a second one carries what the first made due.
comity --home "$a" sync "Team B"
comity --home "$a" sync "Team B"

# Why: a release at Team A, and at Team B the refusal to give it back.
found="$(comity --home "$a" search 103.77.192.219 --json | python3 -c 'import json, sys; print(json.loads(sys.stdin.read())["found"][0]["object"])')"
comity --home "$a" why "$found" "Team B"
comity --home "$b" why "$found" "Team A"

# Anybody who knows the two fingerprints can check, offline, that it was given, and under which title.
for try in 1 2 3 4 5 6 7 8 9 10; do
  COMITY_TOKEN="$token_a" comity --home "$a" log prove "$found" "Team B" --output "$work/given.proof.json" && break
  sleep 1
done
comity verify "$work/given.proof.json" --fingerprint "$print_a" --fingerprint "$print_b"
