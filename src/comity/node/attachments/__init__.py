"""Files that objects refer to: kept by their hash, given under the decision about the object, fetched only when an officer asks."""
