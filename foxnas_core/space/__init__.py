"""Search spaces, architectures in them, and editing one."""
