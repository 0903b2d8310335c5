"""What a run leaves behind: one report.json, and everything else made from it."""
