// What the peers in C share: their arguments, their sockets and the window of
// time that is measured. The counterpart of meter.mjs.
//
//   PEER ROLE SIZE SECONDS [PORT [HOSTS [PER_SECOND [BYTE]]]]

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 0.3
#define MAX_SIZE 65536

static const char *role;
static size_t size;
static double seconds;
static int port;
// How many hosts a role sends from or to, and how many datagrams per second; 0 is
// as fast as it can.
static unsigned hosts_in_turn = 1000;
static double per_second;
// What a datagram consists of.
static int byte = 1;

static inline int is(const char *name) { return strcmp(role, name) == 0; }

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static inline long resident(void) {
  long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1) fail("statm");
  fclose(statm);
  return pages * sysconf(_SC_PAGESIZE);
}

static inline void arguments(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "ROLE SIZE SECONDS [PORT]\n");
    exit(1);
  }
  role = argv[1];
  size = strtoul(argv[2], NULL, 10);
  seconds = strtod(argv[3], NULL);
  port = argc > 4 ? atoi(argv[4]) : 0;
  if (argc > 5) hosts_in_turn = strtoul(argv[5], NULL, 10);
  if (argc > 6) per_second = strtod(argv[6], NULL);
  if (argc > 7) byte = atoi(argv[7]);
  if (size < 1 || size > 65507) {
    fprintf(stderr, "SIZE is 1 to 65507\n");
    exit(1);
  }
  // Ends this process in case its parent is gone.
  alarm((unsigned)seconds + 20);
}

static inline struct sockaddr_in loopback(int at) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(at)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Opens a socket at a port that the system chooses.
static inline int bound_to(in_addr_t host) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = loopback(0);
  address.sin_addr.s_addr = htonl(host);
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) < 0) fail("bind");
  getsockname(fd, (struct sockaddr *)&address, &length);
  port = ntohs(address.sin_port);
  return fd;
}

// Opens a socket that receives: at one host, or at many.
static inline int bound(void) {
  int many = is("receive-many") || is("count-many");
  return bound_to(many ? INADDR_ANY : INADDR_LOOPBACK);
}

// Prints the port, once the socket is ready, and the memory in use by then.
static inline void listening(void) {
  printf("{\"port\":%d,\"rss\":%ld}\n", port, resident());
  fflush(stdout);
}

// Opens a socket that sends to the port on the command line.
static inline int connected(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = loopback(port);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  return fd;
}

// The datagrams so far, their bytes and, if a role reads them, the sum of those
// that it reads.
static uint64_t datagrams, bytes, sum;
// How many hosts they came from, if a role tells them apart.
static unsigned hosts;

static inline void count(size_t length) {
  datagrams++;
  bytes += length;
}

// Reads the clock; to be called about every 64 system calls. Measures a window of
// time that begins a warm-up after the first datagram, and prints the result. The
// program goes on until it is ended, as the other side may still be measuring.
static inline void meter(void) {
  static int done;
  if (done) return;
  static double start, begin;
  static uint64_t before;
  static struct rusage used;
  double time = now();
  if (start == 0) start = time;
  if (begin == 0) {
    if (time < start + WARM_UP) return;
    begin = time;
    before = datagrams;
    getrusage(RUSAGE_SELF, &used);
  }
  double elapsed = time - begin;
  if (elapsed < seconds) return;
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
#define MICROS(which)                                        \
  ((use.ru_##which.tv_sec - used.ru_##which.tv_sec) * 1e6 +  \
   (use.ru_##which.tv_usec - used.ru_##which.tv_usec))
  double user = MICROS(utime), sys = MICROS(stime);
  double counted = datagrams - before;
  printf("{\"perSecond\":%f,\"cpuMicros\":%f,\"cores\":%f,"
         "\"systemShare\":%f,\"rss\":%ld,\"bytesEach\":%f,\"sumEach\":%f,"
         "\"hosts\":%u}\n",
         counted / elapsed, (user + sys) / counted, (user + sys) / 1e6 / elapsed,
         sys / (user + sys), resident(), (double)bytes / datagrams,
         (double)sum / datagrams, hosts);
  fflush(stdout);
  done = 1;
}
