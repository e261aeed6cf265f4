"""The command line: one command per file; the only room that prints or exits."""
