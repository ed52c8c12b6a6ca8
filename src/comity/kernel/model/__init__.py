"""What is said: STIX 2.1 objects, bytes first."""
