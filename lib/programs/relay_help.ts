/** The text of `relay --help`: one screen. */
export const HELP: string =
  `Relay datagrams between clients and a server, and inject faults.

Usage: deno task relay --listen ADDRESS --to ADDRESS [options]
Clients send to --listen; each gets its own port towards --to, for replies.

  --loss 10% --duplicate 1% --duplicate-again 50% --reorder 5% --corrupt 0.1%
                       probability per datagram; again: after a duplicated one
  --burst 1%/25%       losses in bursts: probability to begin one, to end it
  --delay 20ms..80ms   or 20ms, 50ms+-10ms (normal), 20ms:9/200ms:1 (weights)
  --bandwidth 1mbit    per second (bit, kbit, mbit, gbit)
  --queue N            datagrams that may wait for it; drop the rest      [1024]
  --mtu BYTES          drop longer datagrams
  --up LIST, --down LIST   to the server, to clients, as loss=10%,delay=20ms
  --seed N             random seed [1]; --max-sessions N, at a time [1024]
  --idle D             forget a client after D of silence (500ms, 10s, 1m)  [1m]
  --stats-every D      print the totals every D too, such as 10s
  --format F           totals: text, or json, by line on standard output  [text]
  --record F.pcapng    each datagram with its fate; --record-limit SIZE   [1GiB]
  --receive-buffer N   the system's buffers, such as 4M (Linux, --allow-ffi)
  --quiet, -h, --help, --version    --quiet: only errors on standard error

Lines on standard input change faults: set loss 0, or set up delay 20ms
Exit codes: 0 done by Ctrl-C; 1 bad usage or address; 2 no socket or permission.
  deno task relay --listen :7000 --to :62000 --loss 10% --delay 20ms..80ms`;
