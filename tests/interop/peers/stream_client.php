<?php
// Sends its standard input to a tcp port on 127.0.0.1 in one fwrite; with --wait
// it writes all that comes back to standard output.
declare(strict_types=1);

const TIMEOUT_SECONDS = 10;

$message = stream_get_contents(STDIN);

$client = stream_socket_client("tcp://127.0.0.1:$argv[1]", $errno, $error);
if ($client === false) {
    fwrite(STDERR, "Cannot connect: $error\n");
    exit(2);
}
if (fwrite($client, $message) !== strlen($message)) {
    fwrite(STDERR, "Cannot send " . strlen($message) . " bytes\n");
    exit(4);
}
if (in_array("--wait", $argv, true)) {
    stream_set_timeout($client, TIMEOUT_SECONDS);
    // The end of this half is the end of the message.
    stream_socket_shutdown($client, STREAM_SHUT_WR);
    fwrite(STDOUT, fgets($client));
}
fclose($client);
