"""Prints the UDP datagrams to groups that arrive on interfaces.

sniff.py PORT COUNT INTERFACE...
One line each: interface, group, hops, text. Ends after COUNT of them.
"""
import select
import socket
import sys

port, count, names = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
sockets = []
for name in names:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    s.bind((name, 3))
    sockets.append((s, name))
print("ready", flush=True)
while count > 0:
    ready, _, _ = select.select([s for s, _ in sockets], [], [])
    for s, name in sockets:
        if s not in ready:
            continue
        packet, (_, _, kind, _, _) = s.recvfrom(2048)
        if kind == 4 or not packet:
            continue  # sent from here
        if packet[0] >> 4 == 4:
            start = (packet[0] & 15) * 4
            protocol, hops = packet[9], packet[8]
            group = socket.inet_ntop(socket.AF_INET, packet[16:20])
        else:
            start, protocol, hops = 40, packet[6], packet[7]
            group = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        if protocol != 17:
            continue
        if int.from_bytes(packet[start + 2:start + 4], "big") != port:
            continue
        text = packet[start + 8:].decode()
        print(name, group, hops, text, flush=True)
        count -= 1
