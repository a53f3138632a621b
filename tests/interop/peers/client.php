<?php
// Sends its standard input as one message to a port on 127.0.0.1; with --wait
// it writes the reply to standard output.
declare(strict_types=1);

const MAX_BYTES = 65507;
const TIMEOUT_SECONDS = 10;

$message = stream_get_contents(STDIN);

$client = stream_socket_client("udp://127.0.0.1:$argv[1]", $errno, $error);
if ($client === false) {
    fwrite(STDERR, "Cannot open a socket: $error\n");
    exit(2);
}

// fwrite sends nothing at all where there is nothing to write.
$sent = $message === "" ? stream_socket_sendto($client, "") : fwrite($client, $message);
if ($sent !== strlen($message)) {
    fwrite(STDERR, "Cannot send " . strlen($message) . " bytes\n");
    exit(4);
}

if (in_array("--wait", $argv, true)) {
    // stream_socket_recvfrom does not heed stream_set_timeout.
    $read = [$client];
    $write = null;
    $except = null;
    if (stream_select($read, $write, $except, TIMEOUT_SECONDS) !== 1) {
        fwrite(STDERR, "No reply\n");
        exit(3);
    }
    $reply = stream_socket_recvfrom($client, MAX_BYTES);
    if ($reply === false) {
        fwrite(STDERR, "Cannot receive\n");
        exit(3);
    }
    fwrite(STDOUT, $reply);
}
