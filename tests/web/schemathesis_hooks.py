# SPDX-License-Identifier: GPL-3.0-or-later
"""What schemathesis does not know by itself: tus bodies are bytes as they are."""
import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def octets(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
