// Owns how Node is started for the server: what every way to start it has in common. Plain JavaScript: an old Node reads it.

/**
 * Flags of Node and V8. Measured with 10,000 keys (docs/adr/0024, 0025): left alone, the heap doubles between two full
 * collections; half as much again costs nothing that can be seen, and 60 MB less. V8 also learns
 * where to put objects straight among the old: what it learns under load, when calls take long, it does not forget,
 * and from then on garbage is born old. Without it the 99th percentile at 1,000 calls a second fell from 188 to 44 ms.
 */
export const serverFlags = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=15',
  '--no-allocation-site-pretenuring',
];

/**
 * The C library's allocator keeps an arena for each of a dozen threads, and returns none of them: 30 MB more. It also
 * learns from large pieces that were freed to keep such pieces: with bounds that are set it returns them, 12 MB.
 */
export const serverEnvironment = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '262144',
  MALLOC_MMAP_THRESHOLD_: '131072',
};
