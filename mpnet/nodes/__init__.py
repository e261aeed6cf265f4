"""Node types: one file each, entered through the entry-point group ``mpnet.nodes``."""
