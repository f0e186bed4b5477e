"""What `tools.compare` and `tools.bench edit` measure of edits."""
