"""``python -m mpnet``."""

from mpnet.cli.main import main

main()
