"""Sends or receives messages over tcp or tls, framed as syslog (octet) or GELF (nul).

framed.py send FRAMING PORT [CAFILE]      one message per line of standard input
framed.py receive FRAMING [CERT KEY]      prints each message as a line of JSON
"""
import json
import socket
import ssl
import sys


def read_octet(stream):
    while head := stream.read(1):
        while not head.endswith(b" "):
            head += stream.read(1)
        yield stream.read(int(head))


def read_nul(stream):
    *messages, rest = stream.read().split(b"\0")
    assert rest == b"", rest
    yield from messages


READ = {"octet": read_octet, "nul": read_nul}
WRITE = {
    "octet": lambda message: b"%d %b" % (len(message), message),
    "nul": lambda message: message + b"\0",
}


def send(framing, port, cafile=None):
    connection = socket.create_connection(("127.0.0.1", int(port)))
    if cafile:
        context = ssl.create_default_context(cafile=cafile)
        connection = context.wrap_socket(connection, server_hostname="localhost")
    with connection:
        for line in sys.stdin.buffer:
            connection.sendall(WRITE[framing](json.loads(line).encode()))
        if cafile:
            # Reads what the server's TLS has sent. Closed with that unread, the
            # connection would be reset, and messages on their way lost.
            connection.unwrap()


def receive(framing, cert=None, key=None):
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on {listener.getsockname()[1]}", file=sys.stderr, flush=True)
    connection, _ = listener.accept()
    if cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        connection = context.wrap_socket(connection, server_side=True)
    with connection, connection.makefile("rb") as stream:
        for message in READ[framing](stream):
            print(json.dumps(message.decode()), flush=True)


{"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
