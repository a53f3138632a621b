<?php
// Receives one message and writes it to standard output; with --echo it also
// sends it back.
declare(strict_types=1);

const MAX_BYTES = 65507;

$server = stream_socket_server("udp://127.0.0.1:0", $errno, $error, STREAM_SERVER_BIND);
if ($server === false) {
    fwrite(STDERR, "Cannot listen: $error\n");
    exit(2);
}
fwrite(STDERR, "listening on udp://" . stream_socket_get_name($server, false) . "\n");

// Not fread: that reads 8,192 bytes and the rest of the message is lost.
$message = stream_socket_recvfrom($server, MAX_BYTES, 0, $peer);
if ($message === false) {
    fwrite(STDERR, "Cannot receive\n");
    exit(3);
}
fwrite(STDOUT, $message);

if (in_array("--echo", $argv, true)) {
    // The server's socket has no peer of its own that fwrite could send to.
    $sent = stream_socket_sendto($server, $message, 0, $peer);
    if ($sent !== strlen($message)) {
        fwrite(STDERR, "Cannot answer $peer\n");
        exit(4);
    }
}
