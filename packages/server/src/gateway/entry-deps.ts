// Owns what entries need of the process that writes them.

/** Which process writes, and how it writes a time: milliseconds since 1970 as RFC 3339 with milliseconds. */
export type EntryDeps = {
  readonly node: string;
  readonly boot: string;
  readonly timestamp: (ms: number) => string;
};
