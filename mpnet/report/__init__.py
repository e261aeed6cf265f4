"""A run as one HTML page: nothing to install for its reader, nothing fetched from a network."""
