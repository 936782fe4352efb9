// Owns entries as CSV (RFC 4180): the members that people filter by, and the exact entry in the last column.

import { cellText, csvCell } from '../../csv-cell.ts';
import { isObject } from '../../json.ts';
import type { CopiedEntry } from './copied-entry.ts';

/** Members of an entry, with dots into objects, in the order of the columns. */
const members = [
  'id',
  'ts',
  'type',
  'phase',
  'status',
  'op',
  'req',
  'attempt',
  'intent',
  'actor.id',
  'actor.kind',
  'actor.ws',
  'actor.teams',
  'actor.roles',
  'actor.proof',
  'actor.cred',
  'target.provider',
  'target.model',
  'target.served',
  'target.endpoint',
  'target.route',
  'target.tool',
  'target.resource',
  'policy.decision',
  'policy.version',
  'policy.rules',
  'policy.reason',
  'class.labels',
  'err.code',
  'err.http',
  'usage.in',
  'usage.cached',
  'usage.cache_write',
  'usage.cache_write_1h',
  'usage.out',
  'usage.reasoning',
  'usage.cost_nanos',
  'usage.currency',
  'usage.price_version',
  'usage.source',
  'ms.total',
  'cc',
  'record',
  'subject',
  'reason',
  'approvers',
  'alert.kind',
  'refused.total',
  'run.id',
  'trace',
  'log',
  'node',
  'boot',
  'sv',
] as const;

const paths = members.map((name) => name.split('.'));

/** The names of the columns. A line ends in a carriage return before its line feed. */
export const csvHead = `${['index', 'leaf_hash', ...members, 'entry'].join(',')}\r`;

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

/** What stands in a cell as it is: most do, and this is cheaper to see than to clean. */
const plain = /^[A-Za-z0-9_][A-Za-z0-9_.:/ @-]*$/;

/** A cell on one line: common tools count lines, and so does the check of a copy. */
function cell(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && plain.test(value)) return value;
  return typeof value === 'number' ? csvCell(value) : csvCell(cellText(value).replace(/[\t\n]/g, ' '));
}

/**
 * One line without its line feed. The last cell begins with `{`, so no spreadsheet takes it for a formula; it is only
 * quoted, so that its bytes are the entry's.
 */
export function csvCopy({ entry, text, index, leaf }: CopiedEntry): string {
  const cells = paths.map((path) => cell(valueAt(entry, path)));
  return `${index},${leaf},${cells.join(',')},"${text.replaceAll('"', '""')}"\r`;
}
