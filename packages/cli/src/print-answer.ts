// Owns how an answer is shown: lists as tables, one object as lines of names and values.

import { isObject } from '@countersign/core/json';
import { safeLine, safeLines } from './safe-text.ts';
import { cellText, type Table, tableText } from './table.ts';

/** More columns than this do not fit a line: the rest is in `--json` and `--csv`. */
const maxColumns = 8;

/** The items of a page; undefined if the answer is none. */
export function itemsOf(answer: unknown): readonly { readonly [name: string]: unknown }[] | undefined {
  if (!isObject(answer) || !Array.isArray(answer.items)) return undefined;
  return answer.items.filter(isObject);
}

function isScalar(value: unknown): boolean {
  return value === undefined || value === null || typeof value !== 'object';
}

/** An object with more members than this does not fit a cell. */
const maxMembers = 4;

/**
 * What a table shows of a value: `workspace ws_…` of what has a kind, `user=usr_…` of any other small object, as
 * without its scope a budget says nothing. Undefined for what does not fit a cell.
 */
function shortText(value: unknown): string | undefined {
  if (isScalar(value)) return cellText(value);
  if (!isObject(value)) return undefined;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length > maxMembers || !members.every(([, member]) => isScalar(member))) return undefined;
  return members
    .map(([name, member]) =>
      typeof value.kind === 'string' ? cellText(member) : `${name}=${cellText(member)}`,
    )
    .join(' ');
}

/** A table for a terminal: what is short only, and no more than fits. */
function narrowTable(items: readonly { readonly [name: string]: unknown }[]): Table {
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))]
    .filter((name) => items.every((item) => shortText(item[name]) !== undefined))
    .slice(0, maxColumns);
  return { columns, rows: items.map((item) => columns.map((name) => shortText(item[name]) ?? '')) };
}

function lineOf(name: string, value: unknown, width: number): string {
  const label = `${name}:`.padEnd(width + 2);
  if (typeof value === 'string' && value.includes('\n')) {
    return `${name}:\n${safeLines(value.trimEnd()).replace(/^/gm, '  ')}\n`;
  }
  return `${label}${safeLine(cellText(value))}\n`;
}

/** The answer for people. What its values hold cannot act on the terminal. */
export function answerText(answer: unknown): string {
  const items = itemsOf(answer);
  if (items !== undefined) return items.length === 0 ? 'none\n' : tableText(narrowTable(items));
  if (!isObject(answer)) return `${safeLine(cellText(answer))}\n`;
  const shown = Object.entries(answer).filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => lineOf(safeLine(name), value, width)).join('');
}
