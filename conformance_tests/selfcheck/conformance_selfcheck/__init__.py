"""What checks the suite itself: faulty implementations and harnesses that it has to catch."""
