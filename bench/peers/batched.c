// Several buffers per system call: sendmmsg and recvmmsg. With SEGMENTS above 1 a
// buffer holds up to that many datagrams, which the kernel splits (UDP_SEGMENT)
// and joins again (UDP_GRO): the limit of ordinary sockets.
//
//   cc -DBATCH=64 -DSEGMENTS=1      one datagram per buffer
//   cc -DBATCH=16 -DSEGMENTS=128    with segmentation offload
//
// The roles `from-many` and `to-many` send from and to HOSTS in turn, from
// 127.1.0.0 on. `receive-many` tells them apart, and adds up all bytes;
// `count-many` only counts. `check` compares all bytes, and counts the datagrams
// that are as they were sent.
#include "peer.h"

// What older kernels split.
#define FEWER_SEGMENTS 64
#define MAX_HOSTS 100000

static unsigned char data[BATCH][MAX_SIZE];
static unsigned char control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
static struct iovec parts[BATCH];
static struct sockaddr_in froms[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(size_t length) {
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){data[i], length};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
}

// The length of the datagrams in a buffer. The last one may be shorter.
static size_t segment_size(struct msghdr *message, size_t length) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
       c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
    int segment;
    memcpy(&segment, CMSG_DATA(c), sizeof segment);
    return segment;
  }
  return length;
}

static void set(int fd, int option, const char *name, int value) {
  if (setsockopt(fd, SOL_UDP, option, &value, sizeof value) < 0) fail(name);
}

// The host of a number: 127.1.0.0 is the first.
static struct in_addr host(unsigned n) {
  return (struct in_addr){htonl(0x7f010000 + n % hosts_in_turn)};
}

static unsigned char seen[MAX_HOSTS];

static void note(struct in_addr from) {
  unsigned n = ntohl(from.s_addr) - 0x7f010000;
  if (n >= MAX_HOSTS || seen[n]) return;
  seen[n] = 1;
  hosts++;
}

static unsigned char ones[MAX_SIZE];

static void receive(int read_byte, int tell_hosts, int check) {
  int fd = bound();
  if (SEGMENTS > 1) set(fd, UDP_GRO, "UDP_GRO", 1);
  prepare(MAX_SIZE);
  listening();
  for (unsigned calls = 0;; calls++) {
    for (int i = 0; i < BATCH; i++) {
      struct msghdr *message = &messages[i].msg_hdr;
      message->msg_name = &froms[i];
      message->msg_namelen = sizeof froms[i];
      if (SEGMENTS == 1) continue;
      message->msg_control = control[i];
      message->msg_controllen = sizeof control[i];
    }
    int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n < 0) fail("recvmmsg");
    for (int i = 0; i < n; i++) {
      size_t length = messages[i].msg_len;
      size_t segment = segment_size(&messages[i].msg_hdr, length);
      for (size_t at = 0; at < length; at += segment) {
        count(at + segment <= length ? segment : length - at);
        if (read_byte) sum += data[i][at];
      }
      if (check && segment == (size_t)size && length % segment == 0 &&
          memcmp(data[i], ones, length) == 0) sum += length / segment;
      if (!tell_hosts) continue;
      for (size_t at = 0; at < length; at++) sum += data[i][at];
      note(froms[i].sin_addr);
    }
    if (calls % 16 == 0) meter();
  }
}

// How many datagrams of that size each buffer holds.
static size_t segments = 1;

static void prepare_segments(int fd) {
  if (SEGMENTS > 1) set(fd, UDP_SEGMENT, "UDP_SEGMENT", size);
  size_t fit = 65507 / size;
  segments = fit < SEGMENTS ? fit : SEGMENTS;
  prepare(segments * size);
}

// Counts what a call sent. If the kernel takes no such runs, the next are shorter.
static void count_sent(int n) {
  for (int i = 0; i < n; i++) {
    for (size_t left = parts[i].iov_len / size; left > 0; left--) count(size);
  }
  if (n >= 0 || errno != EINVAL || segments <= FEWER_SEGMENTS) return;
  segments = FEWER_SEGMENTS;
  prepare(segments * size);
}

static void flood(void) {
  int fd = connected();
  prepare_segments(fd);
  for (unsigned calls = 0;; calls++) {
    count_sent(sendmmsg(fd, messages, BATCH, 0));
    if (calls % 16 == 0) meter();
  }
}

// Fills buffers with the datagrams that are due, and waits for the first. Returns
// how many buffers.
static int due(void) {
  if (per_second == 0) return BATCH;
  static double start;
  static uint64_t given;
  if (start == 0) start = now();
  for (int waited = 0;; waited = 1) {
    double left = (now() - start) * per_second - given;
    size_t most = BATCH * segments;
    // Runs are as long as what is due after a short wait.
    if (left >= segments || (left >= 1 && waited)) {
      size_t n = left < most ? (size_t)left : most;
      given += n;
      int buffers = 0;
      for (; n > 0; buffers++) {
        size_t here = n < segments ? n : segments;
        parts[buffers].iov_len = here * size;
        n -= here;
      }
      return buffers;
    }
    usleep(left > 0 ? 50 : 200);
  }
}

static void flood_to_many(void) {
  int target = port, fd = bound_to(INADDR_ANY);
  prepare(size);
  for (unsigned next = 0, calls = 0;; calls++) {
    int n_due = due();
    for (int i = 0; i < n_due; i++) {
      froms[i] = loopback(target);
      froms[i].sin_addr = host(next++);
      messages[i].msg_hdr.msg_name = &froms[i];
      messages[i].msg_hdr.msg_namelen = sizeof froms[i];
    }
    int n = sendmmsg(fd, messages, n_due, 0);
    for (int i = 0; i < n; i++) count(size);
    if (calls % 16 == 0) meter();
  }
}

static void flood_from_many(void) {
  struct sockaddr_in to = loopback(port);
  int fd = bound_to(INADDR_ANY);
  prepare_segments(fd);
  for (unsigned next = 0, calls = 0;; calls++) {
    int n_due = due();
    for (int i = 0; i < n_due; i++) {
      struct msghdr *message = &messages[i].msg_hdr;
      message->msg_name = &to;
      message->msg_namelen = sizeof to;
      message->msg_control = control[i];
      message->msg_controllen = sizeof control[i];
      struct cmsghdr *c = CMSG_FIRSTHDR(message);
      c->cmsg_level = IPPROTO_IP;
      c->cmsg_type = IP_PKTINFO;
      c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
      struct in_pktinfo info = {.ipi_spec_dst = host(next++)};
      memcpy(CMSG_DATA(c), &info, sizeof info);
    }
    count_sent(sendmmsg(fd, messages, n_due, 0));
    if (calls % 16 == 0) meter();
  }
}

int main(int argc, char **argv) {
  arguments(argc, argv);
  memset(data, byte, sizeof data);
  memset(ones, 1, sizeof ones);
  if (is("receive")) receive(0, 0, 0);
  else if (is("read")) receive(1, 0, 0);
  else if (is("check")) receive(0, 0, 1);
  else if (is("receive-many")) receive(0, 1, 0);
  else if (is("count-many")) receive(0, 0, 0);
  else if (is("send")) flood();
  else if (is("to-many")) flood_to_many();
  else if (is("from-many")) flood_from_many();
  fprintf(stderr, "no such role\n");
  return 1;
}
