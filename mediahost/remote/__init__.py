"""Remote files: media files by URL, fetched once, checked, kept beside the store."""
