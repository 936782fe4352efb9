// Owns the sliding window behind per-minute limits: no 60 seconds hold more than the limit.

/**
 * How much was taken in each of the last 61 seconds. Two moments less than 60 s apart lie at most 60 whole seconds
 * apart, so 61 cells cover every window of 60 s. One holder owns a window, and the functions here change it in
 * place: copying 61 cells for each call would cost more than everything else that the meter does.
 */
export type RateWindow = { second: number; sum: number; readonly cells: number[] };

const cellCount = 61;

/** An empty window. */
export function emptyWindow(): RateWindow {
  return { second: 0, sum: 0, cells: new Array<number>(cellCount).fill(0) };
}

/** Forgets what is older than the window. A clock that runs backwards forgets nothing. */
export function advance(window: RateWindow, nowMs: number): void {
  const now = Math.floor(nowMs / 1000);
  if (now <= window.second) return;
  if (window.sum > 0) {
    const first = Math.max(window.second + 1, now - cellCount + 1);
    for (let s = first; s <= now; s += 1) {
      const cell = s % cellCount;
      window.sum -= window.cells[cell] ?? 0;
      window.cells[cell] = 0;
    }
  }
  window.second = now;
}

/** Counts `amount` in the newest second; returns that second, by which it can be corrected. Advance first. */
export function take(window: RateWindow, amount: number): number {
  const cell = window.second % cellCount;
  window.cells[cell] = (window.cells[cell] ?? 0) + amount;
  window.sum += amount;
  return window.second;
}

/** Replaces `held`, taken at `second`, by `actual`; does nothing if that second has left the window. */
export function correct(window: RateWindow, second: number, held: number, actual: number): void {
  if (second <= window.second - cellCount || second > window.second) return;
  const cell = second % cellCount;
  const before = window.cells[cell] ?? 0;
  const after = Math.max(0, before - held + actual);
  window.cells[cell] = after;
  window.sum += after - before;
}

/** Milliseconds until `amount` more fits under `limit`; 0 if it fits now, `null` if it never can. */
export function waitMs(window: RateWindow, nowMs: number, limit: number, amount: number): number | null {
  if (amount > limit) return null;
  let sum = window.sum;
  for (let s = window.second - cellCount + 1; s <= window.second; s += 1) {
    if (sum + amount <= limit) break;
    sum -= s < 0 ? 0 : (window.cells[s % cellCount] ?? 0);
    if (sum + amount <= limit) return Math.max(0, (s + cellCount) * 1000 - nowMs);
  }
  return 0;
}

/** Milliseconds until nothing is left in the window; 0 if it is empty. */
export function emptyInMs(window: RateWindow, nowMs: number): number {
  for (let s = window.second; s > window.second - cellCount && s >= 0; s -= 1) {
    if ((window.cells[s % cellCount] ?? 0) > 0) return Math.max(0, (s + cellCount) * 1000 - nowMs);
  }
  return 0;
}
