"""Running a scenario: from a document to a record of everything that happened."""
