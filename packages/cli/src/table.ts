// Owns rows of cells as an aligned table for people.

import { safeLine } from './safe-text.ts';

export type Table = {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** Aligned columns with two spaces between; every cell in one line. */
export function tableText({ columns, rows }: Table): string {
  const lines = [columns.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(safeLine))];
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => [...(cells[i] ?? '')].length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - [...cell].length)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** A value in one cell: text and numbers as they are, anything deeper as JSON, nothing as nothing. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
