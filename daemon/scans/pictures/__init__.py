"""Pictures inside PDFs: whether they are whole. Only the process that examines documents imports this."""
