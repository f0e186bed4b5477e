"""Progressive dataset update: an editor and the fitter take turns until the field is the edited speaker."""
