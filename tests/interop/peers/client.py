"""Sends its standard input as one message to a port on 127.0.0.1; with --wait it
writes the reply to standard output."""

import socket
import sys

MAX_BYTES = 65507
TIMEOUT_SECONDS = 10

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(TIMEOUT_SECONDS)
    client.connect(("127.0.0.1", int(sys.argv[1])))
    client.send(sys.stdin.buffer.read())
    if "--wait" in sys.argv:
        reply, _ = client.recvfrom(MAX_BYTES)
        sys.stdout.buffer.write(reply)
