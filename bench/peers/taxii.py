"""medallion, the reference server of TAXII 2.1, in an environment of its own: ``python taxii.py PORT``; serves until it is killed."""

import logging
import sys

from medallion import application_instance, register_blueprints, set_config

COLLECTION = {
    "id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116",
    "title": "bench",
    "can_read": True,
    "can_write": True,
    "media_types": ["application/stix+json;version=2.1"],
    "objects": [],
    "manifest": [],
    "responses": [],
}
ROOT = {
    "information": {
        "title": "bench",
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": 104857600,
    },
    "status": [],
    "collections": [COLLECTION],
}
DISCOVERY = {"title": "bench", "default": "http://127.0.0.1/api/", "api_roots": ["http://127.0.0.1/api/"]}


def main() -> None:
    from medallion.backends.memory_backend import MemoryBackend

    logging.disable(logging.CRITICAL)
    set_config(application_instance, "users", {"users": {"bench": "bench"}})
    set_config(application_instance, "taxii", {"taxii": {"max_page_size": 1000}})
    backend = MemoryBackend()
    backend.data = {"/discovery": DISCOVERY, "api": ROOT}
    application_instance.medallion_backend = backend
    register_blueprints(application_instance)
    application_instance.run(host="127.0.0.1", port=int(sys.argv[1]), debug=False)


main()
