// Owns the words for the formats that entries are copied to, on the command line.

import { type CopyFormat, copyFormats, isCopyFormat } from '@countersign/core/ledger/copies/formats';
import { UsageError } from './machine.ts';

/** The formats as a usage shows them: `ocsf|otlp|…`. */
export const formatWords = copyFormats.join('|');

/** The format of this name. Throws a UsageError that lists them for any other. */
export function formatNamed(flag: string, name: string): CopyFormat {
  if (isCopyFormat(name)) return name;
  throw new UsageError(`\`--${flag}\` takes ${copyFormats.join(', ')}, not \`${name}\``);
}
