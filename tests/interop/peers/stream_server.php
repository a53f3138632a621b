<?php
// Receives one line over tcp and writes it to standard output; with --echo it
// also sends it back.
declare(strict_types=1);

$server = stream_socket_server("tcp://127.0.0.1:0", $errno, $error);
if ($server === false) {
    fwrite(STDERR, "Cannot listen: $error\n");
    exit(2);
}
fwrite(STDERR, "listening on tcp://" . stream_socket_get_name($server, false) . "\n");

$client = stream_socket_accept($server);
$line = fgets($client);
if ($line === false) {
    fwrite(STDERR, "Cannot receive\n");
    exit(3);
}
fwrite(STDOUT, $line);
if (in_array("--echo", $argv, true)) {
    fwrite($client, $line);
}
fclose($client);
