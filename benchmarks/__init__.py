"""Speed, memory and accuracy of mpnet, measured beside its peers and the machine's own limit."""
