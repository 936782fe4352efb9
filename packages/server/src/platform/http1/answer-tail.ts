// Owns how an answer's head ends: its time, how its connection goes on, and whether its body is chunked.

/** The last lines of a head, with the blank one. */
export type Tail = (goesOn: boolean, isChunked: boolean) => string;

/** As Node writes them, in its order: no client can tell who answered. */
function tailsAt(seconds: number): readonly string[] {
  const date = `Date: ${new Date(seconds * 1_000).toUTCString()}\r\n`;
  const ends = `${date}Connection: close\r\n`;
  const goesOn = `${date}Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n`;
  const chunked = 'Transfer-Encoding: chunked\r\n';
  return [ends, ends + chunked, goesOn, goesOn + chunked].map((lines) => `${lines}\r\n`);
}

/** Made once a second. `now` is in milliseconds since 1970. */
export function createTail(now: () => number): Tail {
  let tails: readonly string[] = [];
  let second = -1;
  return (goesOn, isChunked) => {
    const at = Math.floor(now() / 1_000);
    if (at !== second) {
      second = at;
      tails = tailsAt(at);
    }
    return tails[(goesOn ? 2 : 0) + (isChunked ? 1 : 0)] ?? '';
  };
}
