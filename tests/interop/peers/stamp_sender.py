"""A Session-Sender of STAMP, from RFC 8762 (section 4.2) and RFC 8972 alone.

Usage: stamp_sender.py HOST PORT COUNT SSID
Sends COUNT questions of some lengths, one after the other, with an extension that
nobody knows in every third one, and prints what it found as JSON.
"""

import json
import socket
import struct
import sys
import time

HOST, PORT, COUNT, SSID = sys.argv[1], *map(int, sys.argv[2:])
# Seconds from 1900 to 1970.
NTP = 2208988800
# Not synchronized, NTP; about a second: 2^-32 * 2^24 * 255.
ERROR = 0x18FF
SIZES = [44, 60, 128, 1000, 1472]


def stamp():
    now = time.time()
    return int(now) + NTP, int(now % 1 * 2**32)


def seconds(whole, fraction):
    return whole - NTP + fraction / 2**32


peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(10)
peer.connect((HOST, PORT))
found = {"numbers": [], "asked": [], "problems": []}
for number in range(COUNT):
    question = struct.pack("!IIIHH28x", number, *stamp(), ERROR, SSID)
    rest = SIZES[number % len(SIZES)] - len(question)
    if number % 3 == 2 and rest >= 4:
        # U set, a type for experiments, its length, its value.
        tlv = struct.pack("!BBH", 0x80, 251, rest - 4) + b"\xaa" * (rest - 4)
    else:
        tlv = bytes(rest)
    peer.send(question + tlv)
    answer = peer.recv(65535)
    if len(answer) != len(question) + rest:
        found["problems"].append("length %d" % len(answer))
        continue
    (seq, t3s, t3f, error, ssid, t2s, t2f, asked, t1s, t1f, asked_error, zero, ttl) = (
        struct.unpack("!IIIHHIIIIIHHB", answer[:41])
    )
    if struct.pack("!IIIH", asked, t1s, t1f, asked_error) != question[:14]:
        found["problems"].append("the question's fields of %d" % number)
    if (ssid, zero, ttl, answer[41:44]) != (SSID, 0, 255, bytes(3)):
        found["problems"].append("fixed fields of %d" % number)
    if answer[44:] != tlv:
        found["problems"].append("the rest of %d" % number)
    if error & 0x4000 or error & 0xFF == 0:
        found["problems"].append("error estimate of %d" % number)
    if not 0 <= seconds(t3s, t3f) - seconds(t2s, t2f) < 60:
        found["problems"].append("times of %d" % number)
    if abs(seconds(t2s, t2f) - time.time()) > 60:
        found["problems"].append("clock of %d" % number)
    found["numbers"].append(seq)
    found["asked"].append(asked)
print(json.dumps(found))
