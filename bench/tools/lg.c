// Owns the load generator: one thread, epoll, every sample kept, so percentiles are exact. Prints one JSON line.
//
// usage: lg -p PORT [-u PATH] [-c CONNECTIONS] [-d SECONDS] [-w WARM_UP_SECONDS] [-r RATE] [-b BODY_FILE]
//           [-H "name: value"]... [-k HEADER_LINES_FILE] [-g GRACE_SECONDS]
//   -r RATE > 0  open loop at a constant rate; latency counts from the INTENDED time of sending, so that a
//                server which stalls cannot hide it (no coordinated omission)
//   -r 0         closed loop: CONNECTIONS requests are always on their way
//   -k FILE      one header line a request, taken in turn: the keys of many callers
//   -g SECONDS   how long an open loop waits at its end for answers (5); those still missing are `unfinished`
// load.ts is its twin for machines without a C compiler.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
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

#define MAX_HEADERS 64

typedef long long nanos;
enum state { IDLE, HEAD, BODY };
enum chunk_state { SIZE_LINE, DATA, AFTER_DATA, TRAILER };

typedef struct {
  int fd, status;
  enum state state;
  nanos intended, first_byte, last_event;
  char head[8192];
  int head_len;
  int chunked, closing;
  nanos left;  // bytes of a body with a length; -1: until the connection ends
  enum chunk_state chunk_state;
  nanos chunk_left;
  int trailer_len;
  int after_newline;  // the last payload byte was a newline: another one ends an event
} Conn;

typedef struct {
  float *values;
  size_t len, cap;
} Samples;

static int connections = 16, port, epoll_fd;
static double rate, seconds = 5, warm_up = 1, grace = 5;
static struct sockaddr_in address;
static Conn *conns;
static int *idle, idle_len;
static nanos measure_from, measure_to, next_send, interval;

static char *before_key, *after_key, *request;
static size_t before_len, after_len;
static char **key_lines;
static size_t key_count, key_next;

static Samples latency, first_bytes, gaps;
static nanos errors, not_ok, last_bad, events, bytes, total;

static nanos now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void keep(Samples *samples, float value) {
  if (samples->len == samples->cap) {
    samples->cap = samples->cap ? samples->cap * 2 : 1 << 20;
    samples->values = realloc(samples->values, samples->cap * sizeof(float));
  }
  samples->values[samples->len++] = value;
}

// --- connections ---

static int open_conn(Conn *c) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (void *)&address, sizeof address)) {
    close(c->fd);
    c->fd = -1;
    return -1;
  }
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
  c->state = IDLE;
  return 0;
}

static void fail_conn(Conn *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  if (c->state != IDLE) errors++;
  c->state = IDLE;
  if (open_conn(c)) {
    usleep(1000);
    open_conn(c);
  }
}

static size_t render_request(void) {
  size_t n = 0;
  memcpy(request, before_key, before_len);
  n += before_len;
  if (key_count) {
    const char *line = key_lines[key_next++ % key_count];
    size_t len = strlen(line);
    memcpy(request + n, line, len);
    memcpy(request + n + len, "\r\n", 2);
    n += len + 2;
  }
  memcpy(request + n, after_key, after_len);
  return n + after_len;
}

static void go_on(Conn *c);

static void send_request(Conn *c, nanos intended) {
  c->intended = intended;
  c->first_byte = c->last_event = 0;
  c->state = HEAD;
  c->head_len = c->after_newline = 0;
  size_t n = render_request(), sent = 0;
  while (sent < n) {
    ssize_t r = send(c->fd, request + sent, n - sent, MSG_NOSIGNAL);
    if (r <= 0) {
      fail_conn(c);
      if (c->fd >= 0) go_on(c);
      return;
    }
    sent += r;
  }
}

// What a connection does after an answer: waits for its turn (open loop) or asks again (closed loop).
static void go_on(Conn *c) {
  if (rate > 0) {
    idle[idle_len++] = c - conns;
    return;
  }
  nanos t = now();
  if (t < measure_to) {
    send_request(c, t);
  } else {
    c->state = IDLE;
  }
}

static void finish(Conn *c) {
  nanos t = now();
  total++;
  if (c->status < 200 || c->status > 299) {
    not_ok++;
    last_bad = c->status;
  }
  if (c->intended >= measure_from && (rate > 0 || t <= measure_to)) keep(&latency, (t - c->intended) / 1e3f);
  c->state = IDLE;
  if (c->closing) {
    close(c->fd);
    c->fd = -1;
    if (open_conn(c)) {
      errors++;
      return;
    }
  }
  go_on(c);
}

// --- reading ---

// Its sample is taken at once: slow streams need not end within the measured time.
static void on_first_byte(Conn *c) {
  c->first_byte = now();
  if (c->intended >= measure_from && c->first_byte <= measure_to) {
    keep(&first_bytes, (c->first_byte - c->intended) / 1e3f);
  }
}

// Counts payload bytes and events: an empty line ends an event.
static void on_payload(Conn *c, const char *at, ssize_t n) {
  if (!c->first_byte) on_first_byte(c);
  bytes += n;
  int ended = 0;
  for (ssize_t i = 0; i < n; i++) {
    if (at[i] == '\n') {
      ended += c->after_newline;
      c->after_newline = !c->after_newline;
    } else if (at[i] != '\r') {
      c->after_newline = 0;
    }
  }
  if (!ended) return;
  events += ended;
  nanos t = now();
  if (c->last_event && c->intended >= measure_from) keep(&gaps, (t - c->last_event) / 1e3f);
  c->last_event = t;
}

// Reads the head; returns how many bytes it took, or -1 while it is incomplete.
static ssize_t read_head(Conn *c, const char *at, ssize_t n) {
  int room = (int)sizeof(c->head) - 1 - c->head_len;
  int take = n < room ? (int)n : room;
  int before = c->head_len;
  memcpy(c->head + c->head_len, at, take);
  c->head_len += take;
  c->head[c->head_len] = 0;
  char *end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
  if (!end) {
    if (c->head_len >= (int)sizeof(c->head) - 1) {
      fail_conn(c);
      if (c->fd >= 0) go_on(c);
    }
    return -1;
  }
  end[2] = 0;
  c->status = atoi(c->head + 9);
  c->chunked = strcasestr(c->head, "\ntransfer-encoding: chunked") != 0;
  c->closing = strcasestr(c->head, "\nconnection: close") != 0;
  char *length = strcasestr(c->head, "\ncontent-length:");
  c->left = length ? atoll(length + 16) : -1;
  c->state = BODY;
  c->chunk_state = SIZE_LINE;
  c->chunk_left = c->trailer_len = 0;
  return (end + 4 - c->head) - before;
}

// Reads one step of a chunked body; returns how many bytes it took. The last one finishes the answer.
static ssize_t read_chunked(Conn *c, const char *at, ssize_t n) {
  char byte = *at;
  switch (c->chunk_state) {
    case SIZE_LINE:
      if (byte == '\n') {
        c->chunk_state = c->chunk_left == 0 ? TRAILER : DATA;
      } else if (byte >= '0' && byte <= '9') {
        c->chunk_left = c->chunk_left * 16 + byte - '0';
      } else if ((byte | 32) >= 'a' && (byte | 32) <= 'f') {
        c->chunk_left = c->chunk_left * 16 + (byte | 32) - 'a' + 10;
      }
      return 1;
    case DATA: {
      ssize_t take = n < c->chunk_left ? n : c->chunk_left;
      on_payload(c, at, take);
      c->chunk_left -= take;
      if (!c->chunk_left) c->chunk_state = AFTER_DATA;
      return take;
    }
    case AFTER_DATA:
      if (byte == '\n') c->chunk_state = SIZE_LINE;
      return 1;
    default:
      if (byte == '\n') {
        if (c->trailer_len == 0) finish(c);
        c->trailer_len = 0;
      } else if (byte != '\r') {
        c->trailer_len++;
      }
      return 1;
  }
}

static void on_bytes(Conn *c, const char *at, ssize_t n) {
  while (n > 0 && c->state != IDLE) {
    ssize_t took;
    if (c->state == HEAD) {
      took = read_head(c, at, n);
      if (took < 0) return;
      if (!c->chunked && c->left == 0) {
        on_first_byte(c);
        finish(c);
      }
    } else if (c->chunked) {
      took = read_chunked(c, at, n);
    } else {
      took = c->left >= 0 && c->left < n ? c->left : n;
      on_payload(c, at, took);
      if (c->left >= 0 && (c->left -= took) == 0) finish(c);
    }
    at += took;
    n -= took;
  }
}

static void on_readable(Conn *c) {
  static char buffer[65536];
  ssize_t got = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got > 0) {
    on_bytes(c, buffer, got);
  } else if (got == 0 && c->state == BODY && !c->chunked && c->left < 0) {
    c->closing = 1;
    finish(c);
  } else if (got == 0 || errno != EAGAIN) {
    int was_busy = c->state != IDLE;
    fail_conn(c);
    if (was_busy && c->fd >= 0) go_on(c);
  }
}

// --- set-up ---

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  *len = ftell(file);
  rewind(file);
  char *text = malloc(*len + 1);
  *len = fread(text, 1, *len, file);
  text[*len] = 0;
  fclose(file);
  return text;
}

static void read_keys(const char *path) {
  size_t len, longest = 0;
  char *text = read_file(path, &len);
  for (char *line = strtok(text, "\n"); line; line = strtok(0, "\n")) {
    key_lines = realloc(key_lines, (key_count + 1) * sizeof(char *));
    key_lines[key_count++] = line;
    if (strlen(line) > longest) longest = strlen(line);
  }
  if (longest > 4096) {
    fprintf(stderr, "lg: a header line of `%s` is longer than 4096 bytes\n", path);
    exit(2);
  }
}

static void prepare_request(const char *path, const char *body_path, char **headers, int header_count) {
  size_t body_len = 0;
  char *body = body_path ? read_file(body_path, &body_len) : "";
  before_key = malloc(16384);
  after_key = malloc(body_len + 256);
  before_len = sprintf(before_key,
                       "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n",
                       body_len ? "POST" : "GET", path, port);
  for (int i = 0; i < header_count; i++) {
    before_len += snprintf(before_key + before_len, 16384 - before_len, "%s\r\n", headers[i]);
    if (before_len >= 16384) {
      fprintf(stderr, "lg: the headers are longer than 16384 bytes\n");
      exit(2);
    }
  }
  if (body_len) after_len = sprintf(after_key, "Content-Length: %zu\r\n", body_len);
  after_len += sprintf(after_key + after_len, "\r\n");
  memcpy(after_key + after_len, body, body_len);
  after_len += body_len;
  request = malloc(before_len + after_len + 8192);
}

static int count_busy(void) {
  int busy = 0;
  for (int i = 0; i < connections; i++) busy += conns[i].state != IDLE;
  return busy;
}

// --- results ---

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void sort(Samples *samples) {
  if (samples->len) qsort(samples->values, samples->len, sizeof(float), ascending);
}

static double quantile(const Samples *samples, double p) {
  if (!samples->len) return 0;
  size_t i = p * samples->len;
  return samples->values[i < samples->len ? i : samples->len - 1];
}

static void print_results(nanos events_before, nanos bytes_before) {
  double sum = 0;
  sort(&latency);
  sort(&first_bytes);
  sort(&gaps);
  for (size_t i = 0; i < latency.len; i++) sum += latency.values[i];
  nanos unsent = rate > 0 && next_send < measure_to ? (measure_to - next_send) / interval : 0;
  printf("{\"c\":%d,\"rate\":%.0f,\"n\":%zu,\"total\":%lld,\"rps\":%.0f,", connections, rate, latency.len, total,
         latency.len / seconds);
  printf("\"errs\":%lld,\"non2xx\":%lld,\"bad\":%lld,\"unsent\":%lld,\"unfinished\":%d,", errors, not_ok, last_bad,
         unsent, rate > 0 ? count_busy() : 0);
  printf("\"us\":{\"mean\":%.0f,\"p50\":%.0f,\"p90\":%.0f,\"p95\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f},",
         latency.len ? sum / latency.len : 0, quantile(&latency, .5), quantile(&latency, .9),
         quantile(&latency, .95), quantile(&latency, .99), quantile(&latency, .999), quantile(&latency, 1));
  printf("\"ttfb_us\":{\"p50\":%.0f,\"p95\":%.0f,\"p99\":%.0f},\"events_s\":%.0f,", quantile(&first_bytes, .5),
         quantile(&first_bytes, .95), quantile(&first_bytes, .99), (events - events_before) / seconds);
  printf("\"gap_us\":{\"p50\":%.0f,\"p99\":%.0f,\"max\":%.0f},\"mb_s\":%.1f}\n", quantile(&gaps, .5),
         quantile(&gaps, .99), quantile(&gaps, 1), (bytes - bytes_before) / seconds / 1e6);
}

// --- the loop ---

// Sends what is due in the open loop; returns how long to wait for the next, in nanoseconds.
static nanos send_due(nanos t) {
  while (next_send <= t && next_send < measure_to && idle_len) {
    send_request(&conns[idle[--idle_len]], next_send);
    next_send += interval;
  }
  if (next_send >= measure_to || !idle_len) return 100000000;
  nanos left = next_send - now();
  return left < 0 ? 0 : left < 100000000 ? left : 100000000;
}

static void run(void) {
  struct epoll_event ready[512];
  nanos events_before = 0, bytes_before = 0, give_up = measure_to + (nanos)(grace * 1e9);
  int is_measuring = 0;
  for (;;) {
    nanos t = now();
    if (!is_measuring && t >= measure_from) {
      is_measuring = 1;
      events_before = events;
      bytes_before = bytes;
      errors = not_ok = 0;
    }
    if (t >= measure_to && (rate <= 0 || t >= give_up || !count_busy())) break;
    struct timespec wait = {0, rate > 0 ? send_due(t) : 100000000};
    int n = epoll_pwait2(epoll_fd, ready, 512, &wait, 0);
    for (int i = 0; i < n; i++) {
      Conn *c = ready[i].data.ptr;
      if (c->fd >= 0) on_readable(c);
    }
  }
  print_results(events_before, bytes_before);
}

int main(int argc, char **argv) {
  char *path = "/v1/chat/completions", *body_path = 0, *headers[MAX_HEADERS];
  int header_count = 0, option;
  signal(SIGPIPE, SIG_IGN);
  while ((option = getopt(argc, argv, "p:u:c:d:w:r:b:H:k:g:")) != -1) switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'u': path = optarg; break;
      case 'c': connections = atoi(optarg); break;
      case 'd': seconds = atof(optarg); break;
      case 'w': warm_up = atof(optarg); break;
      case 'r': rate = atof(optarg); break;
      case 'b': body_path = optarg; break;
      case 'g': grace = atof(optarg); break;
      case 'k': read_keys(optarg); break;
      case 'H':
        if (header_count == MAX_HEADERS) return 2;
        headers[header_count++] = optarg;
        break;
      default: return 2;
    }
  prepare_request(path, body_path, headers, header_count);
  address = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  epoll_fd = epoll_create1(0);
  conns = calloc(connections, sizeof(Conn));
  idle = calloc(connections + 1, sizeof(int));
  for (int i = 0; i < connections; i++)
    if (open_conn(&conns[i])) {
      fprintf(stderr, "lg: cannot connect to port %d\n", port);
      return 1;
    }
  nanos t = now();
  measure_from = t + (nanos)(warm_up * 1e9);
  measure_to = measure_from + (nanos)(seconds * 1e9);
  if (rate > 0) {
    interval = 1e9 / rate;
    next_send = t;
    for (int i = 0; i < connections; i++) idle[idle_len++] = i;
  } else {
    for (int i = 0; i < connections; i++) send_request(&conns[i], now());
  }
  run();
  return 0;
}
