"""The sides that run in our environment: Comity itself, and the floors."""
