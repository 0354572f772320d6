"""The views of pages, a folder a page (see `pages.shared.views`)."""
