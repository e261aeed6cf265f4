"""Shipped scenarios: one YAML each; its first line says what it shows."""
