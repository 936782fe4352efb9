// Owns how Node is started for the server: what every way to start it has in common. Plain JavaScript: an old Node reads it.

/**
 * Flags of Node and V8. Measured with 10,000 keys under 64 connections (docs/adr/0024): young objects of a call die
 * within it, so that a small young space costs nothing, and a heap that may grow by a fifth between two full
 * collections, instead of doubling, costs 2 % of throughput for 90 MB less.
 */
export const serverFlags = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=20',
];

/** The C library's allocator keeps an arena for each of a dozen threads, and returns none of them: 30 MB more. */
export const serverEnvironment = { MALLOC_ARENA_MAX: '2' };
