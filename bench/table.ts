// Owns tables in Markdown that line up in a terminal too, and how numbers look in them.

import type { Spread } from './statistics.ts';

/** Rows under a head; the first column is text, the others are set to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** Three significant digits below 100, whole numbers with commas above. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `median (least–greatest)`, or a dash for nothing. */
export function spread(value: Spread | undefined): string {
  if (value === undefined) return '—';
  return `${number(value.median)} (${number(value.min)}–${number(value.max)})`;
}

/** A whole number with commas. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
