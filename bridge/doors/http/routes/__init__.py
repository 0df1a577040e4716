"""The native routes: one file a resource."""
