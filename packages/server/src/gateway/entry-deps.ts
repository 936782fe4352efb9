// Owns what entries need of the process that writes them.

import type { Fragment } from '@countersign/core/ledger/canonical';

/** Which process writes, and how it writes a time: milliseconds since 1970 as RFC 3339 with milliseconds. */
export type EntryDeps = {
  readonly node: string;
  readonly boot: string;
  /** The same, as they stand in entries. */
  readonly nodeText: Fragment;
  readonly bootText: Fragment;
  readonly timestamp: (ms: number) => Fragment;
};
