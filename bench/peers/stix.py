"""The STIX tools of OASIS, in an environment of their own: parse (stix2), validate (stix2-validator), patterns (stix2-patterns).

Knows nothing of Comity: ``python stix.py parse|validate|patterns PATH N``; one JSON object on stdout.
"""

import json
import logging
import sys
import time


def peak_mb() -> float | None:
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:")), None)


def main() -> None:
    what, path, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path) as stream:
        objects = json.load(stream)["objects"][:n]
    logging.disable(logging.CRITICAL)
    if what == "parse":
        import stix2

        began = time.perf_counter()
        for one in objects:
            stix2.parse(one, allow_custom=True)
    elif what == "validate":
        from stix2validator import ValidationOptions, validate_instance

        options = ValidationOptions(version="2.1")
        refused = 0
        began = time.perf_counter()
        for one in objects:
            refused += not validate_instance(one, options).is_valid
        if refused == len(objects):
            raise SystemExit("the validator refuses everything: its schemas are not installed")
    else:
        from stix2patterns.v21.pattern import Pattern

        texts = [one["pattern"] for one in objects]
        began = time.perf_counter()
        for text in texts:
            Pattern(text)
    print(json.dumps({"n": len(objects), "rate": len(objects) / (time.perf_counter() - began), "peak_mb": peak_mb()}))


main()
