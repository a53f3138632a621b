// Several buffers per system call: sendmmsg and recvmmsg. With SEGMENTS above 1 a
// buffer holds up to that many datagrams, which the kernel splits (UDP_SEGMENT)
// and joins again (UDP_GRO): the limit of ordinary sockets.
//
//   cc -DBATCH=64 -DSEGMENTS=1     one datagram per buffer
//   cc -DBATCH=16 -DSEGMENTS=64    with segmentation offload
#include "peer.h"

static unsigned char data[BATCH][MAX_SIZE];
static unsigned char control[BATCH][CMSG_SPACE(sizeof(int))];
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

static void receive(int read_byte) {
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
    }
    if (calls % 16 == 0) meter();
  }
}

static void flood(void) {
  int fd = connected();
  if (SEGMENTS > 1) set(fd, UDP_SEGMENT, "UDP_SEGMENT", size);
  size_t fit = 65507 / size, segments = fit < SEGMENTS ? fit : SEGMENTS;
  prepare(segments * size);
  for (unsigned calls = 0;; calls++) {
    int n = sendmmsg(fd, messages, BATCH, 0);
    for (size_t i = 0; n > 0 && i < n * segments; i++) count(size);
    if (calls % 16 == 0) meter();
  }
}

int main(int argc, char **argv) {
  arguments(argc, argv);
  if (is("receive") || is("read")) receive(is("read"));
  else if (is("send")) flood();
  fprintf(stderr, "no such role\n");
  return 1;
}
