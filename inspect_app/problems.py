"""What stops an inspection, each as one sentence with the next step."""


class Problem(Exception):
    """A sentence for the user; nothing was written."""
