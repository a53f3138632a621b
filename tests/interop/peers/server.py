"""Receives one message and writes it to standard output; with --echo it also
sends it back."""

import socket
import sys

MAX_BYTES = 65507

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 0))
    host, port = server.getsockname()
    print(f"listening on udp://{host}:{port}", file=sys.stderr, flush=True)
    message, peer = server.recvfrom(MAX_BYTES)
    sys.stdout.buffer.write(message)
    if "--echo" in sys.argv:
        server.sendto(message, peer)
