"""What changes a society while it runs: models wake, retire and compose, evidence comes and goes."""
