"""Roads by which a person is told that something waits: a program of one's own, mail. Both without any content."""
