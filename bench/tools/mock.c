// Owns the mock model provider: one thread, epoll, HTTP/1.1 on loopback. Usage: mock PORT
//
// What it does follows from the request's BODY, so that it survives any gateway:
//   "stream":true       an SSE stream: 50 chunks of about 100 bytes, one write each, then usage and [DONE]
//   model "mock-d<ms>"  a delay before the answer (before the first chunk of a stream)
//   model "mock-s<ms>"  a pause between the chunks of a stream
// mock.ts is its twin for machines without a C compiler.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNKS 50
#define MAX_FD 65536

typedef long long nanos;

typedef struct {
  int fd;
  char *in;
  size_t in_len, in_cap;
  int busy, stream, next_chunk, pause_ms;
  unsigned generation;  // raised when the connection ends, so that old timers mean nothing
  char *out;
  size_t out_len, out_cap;
} Conn;

typedef struct {
  nanos due;
  int fd;
  unsigned generation;
} Timer;

static Conn *conns[MAX_FD];
static Timer *heap;
static int heap_len, heap_cap;
static int epoll_fd;

static char whole[4096];
static int whole_len;
static char chunk[CHUNKS][512];
static int chunk_len[CHUNKS];
static char tail[2048];
static int tail_len;

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    "x-request-id: req_mock\r\nTransfer-Encoding: chunked\r\n\r\n";

static nanos now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// --- timers: a binary heap, the earliest first ---

static void push_timer(Timer timer) {
  if (heap_len == heap_cap) {
    heap_cap = heap_cap ? heap_cap * 2 : 1024;
    heap = realloc(heap, heap_cap * sizeof(Timer));
  }
  int i = heap_len++;
  while (i > 0) {
    int parent = (i - 1) / 2;
    if (heap[parent].due <= timer.due) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = timer;
}

static Timer pop_timer(void) {
  Timer first = heap[0], last = heap[--heap_len];
  int i = 0;
  for (;;) {
    int child = 2 * i + 1;
    if (child >= heap_len) break;
    if (child + 1 < heap_len && heap[child + 1].due < heap[child].due) child++;
    if (heap[child].due >= last.due) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return first;
}

static void wake_at(Conn *c, nanos due) { push_timer((Timer){due, c->fd, c->generation}); }

// --- the answers, rendered once ---

static int frame(char *to, const char *event) {
  return sprintf(to, "%zx\r\n%s\r\n", strlen(event), event);
}

static void render_answers(void) {
  char text[900], body[3000], event[400];
  int n = 0;
  while (n < 690) n += sprintf(text + n, "The quick brown fox jumps over the lazy dog %d. ", n);
  text[690] = 0;
  int body_len = sprintf(
      body,
      "{\"id\":\"chatcmpl-mock0000000000000000000000\",\"object\":\"chat.completion\",\"created\":1700000000,"
      "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
      "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":210,"
      "\"completion_tokens\":160,\"total_tokens\":370},\"system_fingerprint\":\"fp_mock\"}",
      text);
  whole_len = sprintf(whole,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_mock\r\n"
                      "Content-Length: %d\r\n\r\n%s",
                      body_len, body);
  for (int i = 0; i < CHUNKS; i++) {
    sprintf(event,
            "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
            "\"delta\":{\"content\":\" tok%04d\"}}]}\n\n",
            i);
    chunk_len[i] = frame(chunk[i], event);
  }
  tail_len = frame(tail,
                   "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
                   "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":210,"
                   "\"completion_tokens\":50,\"total_tokens\":260}}\n\n");
  tail_len += frame(tail + tail_len, "data: [DONE]\n\n");
  tail_len += sprintf(tail + tail_len, "0\r\n\r\n");
}

// --- connections ---

static void end_conn(Conn *c) {
  close(c->fd);
  c->busy = 0;
  c->in_len = c->out_len = 0;
  c->generation++;
  c->fd = -1;
}

static void want_writable(Conn *c, int yes) {
  struct epoll_event e = {.events = EPOLLIN | (yes ? EPOLLOUT : 0), .data.fd = c->fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

// Writes, or keeps what the socket does not take now. -1: the connection is gone.
static int send_bytes(Conn *c, const char *bytes, size_t n) {
  if (!c->out_len) {
    ssize_t sent = write(c->fd, bytes, n);
    if (sent < 0) {
      if (errno != EAGAIN) return -1;
      sent = 0;
    }
    bytes += sent;
    n -= sent;
    if (!n) return 0;
  }
  if (c->out_len + n > c->out_cap) {
    c->out_cap = (c->out_len + n) * 2;
    c->out = realloc(c->out, c->out_cap);
  }
  int was_empty = c->out_len == 0;
  memcpy(c->out + c->out_len, bytes, n);
  c->out_len += n;
  if (was_empty) want_writable(c, 1);
  return 0;
}

// Sends what is due of a stream. 1: it is complete, 0: it goes on later, -1: the connection is gone.
static int send_due(Conn *c, nanos at) {
  for (;;) {
    if (c->next_chunk == CHUNKS) {
      if (send_bytes(c, tail, tail_len)) return -1;
      c->busy = 0;
      return 1;
    }
    if (c->next_chunk == 0) {
      char first[1024];
      int head_len = sizeof(stream_head) - 1;
      memcpy(first, stream_head, head_len);
      memcpy(first + head_len, chunk[0], chunk_len[0]);
      if (send_bytes(c, first, head_len + chunk_len[0])) return -1;
    } else if (send_bytes(c, chunk[c->next_chunk], chunk_len[c->next_chunk])) {
      return -1;
    }
    c->next_chunk++;
    if (c->pause_ms) {
      wake_at(c, at + c->pause_ms * 1000000LL);
      return 0;
    }
  }
}

static void answer(Conn *c, nanos at) {
  if (c->stream) {
    if (send_due(c, at) < 0) end_conn(c);
  } else if (send_bytes(c, whole, whole_len)) {
    end_conn(c);
  } else {
    c->busy = 0;
  }
}

static void start_answer(Conn *c, char *body, size_t n) {
  long delay_ms = 0;
  c->pause_ms = c->stream = c->next_chunk = 0;
  c->busy = 1;
  char *p = memmem(body, n, "\"mock-", 6);
  if (p) {
    for (p += 6; *p && *p != '"';) {
      char kind = *p++;
      long value = strtol(p, &p, 10);
      if (kind == 'd') delay_ms = value;
      if (kind == 's') c->pause_ms = value;
      if (*p == '-') p++;
    }
  }
  p = memmem(body, n, "\"stream\"", 8);
  if (p) {
    p += 8;
    while (*p == ' ' || *p == ':') p++;
    c->stream = *p == 't';
  }
  if (delay_ms) {
    wake_at(c, now() + delay_ms * 1000000LL);
  } else {
    answer(c, now());
  }
}

// Takes complete requests off the input, one answer at a time.
static void read_requests(Conn *c) {
  while (c->fd >= 0 && !c->busy && c->in_len) {
    c->in[c->in_len] = 0;
    char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!end) return;
    char *body = end + 4;
    size_t head_len = body - c->in, body_len = 0, total = head_len;
    char *length = strcasestr(c->in, "\ncontent-length:");
    char *chunked = strcasestr(c->in, "\ntransfer-encoding: chunked");
    if (length && length < end) {
      body_len = strtoul(length + 16, 0, 10);
      total += body_len;
      if (c->in_len < total) return;
    } else if (chunked && chunked < end) {
      char *last = memmem(body, c->in_len - head_len, "\r\n0\r\n\r\n", 7);
      if (!last) return;
      body_len = last - body;
      total = last + 7 - c->in;
    }
    start_answer(c, body, body_len);
    if (c->fd < 0) return;
    memmove(c->in, c->in + total, c->in_len - total);
    c->in_len -= total;
  }
}

static void on_timer(Timer timer) {
  Conn *c = conns[timer.fd];
  if (!c || c->generation != timer.generation || !c->busy) return;
  answer(c, timer.due);
  if (c->fd >= 0 && !c->busy) read_requests(c);
}

static void accept_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
    if (fd >= MAX_FD) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Conn *c = conns[fd];
    if (!c) {
      c = conns[fd] = calloc(1, sizeof(Conn));
      c->in_cap = 16384;
      c->in = malloc(c->in_cap + 1);
    }
    c->fd = fd;
    c->in_len = c->out_len = c->busy = 0;
    c->generation++;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
  }
}

static void on_event(Conn *c, unsigned events) {
  if (events & EPOLLOUT) {
    ssize_t sent = write(c->fd, c->out, c->out_len);
    if (sent > 0) {
      memmove(c->out, c->out + sent, c->out_len - sent);
      c->out_len -= sent;
      if (!c->out_len) want_writable(c, 0);
    }
  }
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  if (c->in_cap - c->in_len < 8192) {
    c->in_cap *= 2;
    c->in = realloc(c->in, c->in_cap + 1);
  }
  ssize_t got = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) end_conn(c);
    return;
  }
  c->in_len += got;
  read_requests(c);
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (void *)&address, sizeof address) || listen(fd, 4096)) {
    perror("mock: cannot listen");
    exit(1);
  }
  return fd;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: mock PORT\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  render_answers();
  int listener = listen_on(atoi(argv[1]));
  epoll_fd = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, events[512];
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    nanos t = now();
    while (heap_len && heap[0].due <= t) on_timer(pop_timer());
    struct timespec wait, *until = 0;
    if (heap_len) {
      nanos left = heap[0].due - now();
      if (left < 0) left = 0;
      wait = (struct timespec){left / 1000000000, left % 1000000000};
      until = &wait;
    }
    int n = epoll_pwait2(epoll_fd, events, 512, until, 0);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
      } else if (conns[fd] && conns[fd]->fd == fd) {
        on_event(conns[fd], events[i].events);
      }
    }
  }
}
