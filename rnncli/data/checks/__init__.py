"""One function a finding: what is wrong with data, seen all at once."""
