"""How messages list node types: new ones come, and no other text changes with them."""

from mpnet.nodes.registry import node_types

ALL = tuple(node_types())
TYPES = ", ".join(ALL[:12]) + (", ..." if len(ALL) > 12 else "")
