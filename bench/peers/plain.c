// One system call per datagram: sendto and recvfrom.
#include "peer.h"

static unsigned char data[MAX_SIZE];
static struct sockaddr_in from;

static ssize_t receive(int fd) {
  socklen_t length = sizeof from;
  ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &length);
  if (n < 0) fail("recvfrom");
  return n;
}

static void send_to(int fd, size_t length, struct sockaddr_in *to) {
  // It fails once the receiver is gone: the parent then ends this process.
  sendto(fd, data, length, 0, (struct sockaddr *)to, sizeof *to);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void ping(int fd, struct sockaddr_in *to) {
  size_t room = 1 << 22, n = 0;
  double *micros = malloc(room * sizeof *micros);
  double start = now() + WARM_UP, end = start + seconds;
  for (double before = now(); (before < end || n == 0) && n < room;) {
    send_to(fd, size, to);
    receive(fd);
    double after = now();
    if (before >= start) micros[n++] = (after - before) * 1e6;
    before = after;
  }
  qsort(micros, n, sizeof *micros, ascending);
  printf("{\"p50\":%f,\"p99\":%f,\"p999\":%f}\n", micros[n * 500 / 1000],
         micros[n * 990 / 1000], micros[n * 999 / 1000]);
}

int main(int argc, char **argv) {
  arguments(argc, argv);
  struct sockaddr_in to = loopback(port);
  int fd = bound();
  if (is("receive")) {
    listening();
    for (unsigned calls = 0;; calls++) {
      count(receive(fd));
      if (calls % 64 == 0) meter();
    }
  } else if (is("send")) {
    for (unsigned calls = 0;; calls++) {
      send_to(fd, size, &to);
      count(size);
      if (calls % 64 == 0) meter();
    }
  } else if (is("echo")) {
    listening();
    for (;;) send_to(fd, receive(fd), &from);
  } else if (is("ping")) {
    ping(fd, &to);
  } else {
    fprintf(stderr, "no such role\n");
    return 1;
  }
}
