"""A Session-Reflector of STAMP, from RFC 8762 (section 4.3) and RFC 8972 alone.

Usage: stamp_reflector.py stateful|stateless
Prints its port, and answers until its standard input ends.
"""

import select
import socket
import struct
import sys
import time

IS_STATEFUL = sys.argv[1] == "stateful"
# Seconds from 1900 to 1970.
NTP = 2208988800
ERROR = 0x18FF


def stamp():
    now = time.time()
    return int(now) + NTP, int(now % 1 * 2**32)


def mark(rest):
    """Sets the U flag of all extensions: it knows none but Extra Padding."""
    rest = bytearray(rest)
    at = 0
    while at + 4 <= len(rest) and rest[at] & 0x80:
        kind, length = struct.unpack_from("!xBH", rest, at)
        rest[at] = 0 if kind == 1 else 0x80
        at += 4 + length
    return bytes(rest)


peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.bind(("127.0.0.1", 0))
print(peer.getsockname()[1], flush=True)
sessions = {}
while True:
    ready, _, _ = select.select([peer, sys.stdin], [], [])
    if sys.stdin in ready:
        break
    question, sender = peer.recvfrom(65535)
    received = stamp()
    if len(question) < 44:
        continue
    number, error, ssid = struct.unpack("!I8xHH", question[:16])
    session = sender, ssid
    if IS_STATEFUL:
        sequence = sessions.get(session, 0)
        sessions[session] = sequence + 1
    else:
        sequence = number
    answer = struct.pack(
        "!IIIHHII14sxxB3x", sequence, *stamp(), ERROR, ssid, *received, question[:14], 255
    )
    peer.sendto(answer + mark(question[44:]), sender)
