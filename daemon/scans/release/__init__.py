"""When paper may be destroyed and when our own copies go: quality control, release, retention."""
