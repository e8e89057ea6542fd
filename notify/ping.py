"""The dead man's ping: somebody else's clock that rings when it is not called."""

import http.client
import urllib.error
import urllib.request

from reader.problems import Problem

SECONDS = 10.0


def check(address: str) -> None:
    """Raise Problem where the address is none that can be called; it is a secret, and not shown."""
    if not address.startswith(("https://", "http://")):
        raise Problem("--ping is no address: it begins with https:// or http://.")


def call(address: str) -> None:
    """Call it.

    Raises:
        Problem: nobody answers there, or not with success.
    """
    try:
        with urllib.request.urlopen(address, timeout=SECONDS):
            return
    except urllib.error.HTTPError as error:
        reason = f"status {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = type(getattr(error, "reason", error)).__name__
    raise Problem(f"The ping was not taken ({reason}): it is tried again at the next run.")
