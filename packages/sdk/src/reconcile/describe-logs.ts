// Owns the words for the logs that were compared together: what they share, what lies between them, and what they lack.

import type { ReconciledLog } from './reconcile-export.ts';

/** What two exports of one log share is counted once, and that is said. */
export function sharedNotes(logs: readonly ReconciledLog[]): readonly string[] {
  return logs.flatMap(({ directory, shared, verification: { size } }) => {
    if (shared === undefined) return [];
    const both = `\`${directory}\` and \`${shared.with}\` are of one log`;
    return [
      shared.size === size
        ? `${both}: the ${size} entries of the smaller are in the larger, and are counted once`
        : `${both}, and have the first ${shared.size} entries in common: these are counted once, and what either has after them is counted too`,
    ];
  });
}

/** What lies between a log and the one that it continues: entries that were lost, or a whole log that was not given. */
export function gapNotes(logs: readonly ReconciledLog[]): readonly string[] {
  const sizes = new Map<string, number>();
  for (const { verification } of logs)
    sizes.set(verification.origin, Math.max(verification.size, sizes.get(verification.origin) ?? 0));
  const [first] = logs;
  const continued = logs.filter(
    ({ verification }, i) => verification.origin !== logs[i - 1]?.verification.origin,
  );
  return continued.flatMap(({ verification: { origin, continues } }) => {
    if (continues === undefined) return [];
    const size = sizes.get(continues.origin);
    if (size === undefined)
      return origin === first?.verification.origin
        ? []
        : [
            `\`${origin}\` continues \`${continues.origin}\`, of which no folder was given: what was billed for its calls is not recorded here, give its archive too`,
          ];
    const lost = continues.size - size;
    return lost > 0
      ? [
          `\`${continues.origin}\` had ${continues.size} entries, and ${lost} of them were lost before it went on as \`${origin}\`: calls in them are billed and not recorded; an export from before the restore has them, give that folder too`,
        ]
      : [];
  });
}

/** Where the calls from before the first log are, where it continues another one; empty where it continues none. */
export function formerText([first]: readonly ReconciledLog[]): string {
  const continues = first?.verification.continues;
  return continues === undefined
    ? ''
    : `, but in the archive of \`${continues.origin}\`, as far as that was not lost: give that folder too`;
}
