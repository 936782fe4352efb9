// Owns bills in CSV: the export of Anthropic's console, and the plain form that anybody can write.

import { dayMs } from '../period.ts';
import { BillError, type BillForm, type BillLine, type BillPage } from './bill.ts';
import { type CsvRow, csvTable } from './csv-cells.ts';

const plainNeeded = ['day', 'model', 'requests', 'input_tokens', 'output_tokens'] as const;
const plainOptional = ['cached_tokens', 'cost', 'currency'] as const;

/** The columns of the console's export that are counted or name a line. */
const consoleNeeded = [
  'usage_date_utc',
  'model_version',
  'usage_input_tokens_no_cache',
  'usage_input_tokens_cache_write_5m',
  'usage_input_tokens_cache_write_1h',
  'usage_input_tokens_cache_read',
  'usage_output_tokens',
] as const;
/** What splits the console's lines. Other columns are passed over: what they count is not compared. */
const consoleSplit = [
  'api_key',
  'workspace',
  'usage_type',
  'context_window',
  'inference_geo',
  'speed',
] as const;

/** The form of a CSV file by the names of its columns; undefined where they are of none. */
export function formOfColumns(text: string): BillForm | undefined {
  const [first = ''] = text.split(/\r?\n/, 1);
  const table = csvTable(first);
  if (typeof table === 'string') return undefined;
  const has = (column: string): boolean => table.columns.includes(column);
  if (has('usage_date_utc') && has('model_version')) return 'anthropic-csv';
  return has('day') && has('model') ? 'plain-csv' : undefined;
}

type Reader = { readonly file: string; readonly row: CsvRow };

function cellOf({ file, row }: Reader, column: string): string {
  const cell = row.cells.get(column) ?? '';
  if (cell !== '') return cell;
  throw new BillError(`\`${file}\`: line ${row.line} has nothing under \`${column}\``);
}

function countOf(reader: Reader, column: string): bigint {
  const cell = cellOf(reader, column);
  if (/^\d{1,30}$/.test(cell)) return BigInt(cell);
  throw new BillError(
    `\`${reader.file}\`: line ${reader.row.line} has \`${cell}\` under \`${column}\`, where a whole number stands, such as \`1200\``,
  );
}

function dayOf(reader: Reader, column: string): { readonly startMs: number; readonly endMs: number } {
  const cell = cellOf(reader, column);
  const startMs = startOfDay(cell);
  if (startMs !== undefined) return { startMs, endMs: startMs + dayMs };
  throw new BillError(
    `\`${reader.file}\`: line ${reader.row.line} has \`${cell}\` under \`${column}\`, where a UTC day stands, such as \`2026-03-31\``,
  );
}

/** The beginning of a UTC day that is written `2026-03-31`; undefined for what is no day. */
export function startOfDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  // The 31st of February is read as a day of March by some readers, as none by others: it is none.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms;
}

function plainLine(reader: Reader): BillLine {
  const input = countOf(reader, 'input_tokens');
  const { cells } = reader.row;
  const cached = cells.has('cached_tokens') ? countOf(reader, 'cached_tokens') : undefined;
  if (cached !== undefined && cached > input)
    throw new BillError(
      `\`${reader.file}\`: line ${reader.row.line} has more \`cached_tokens\` than \`input_tokens\`: the input is all that went in, what was read from the cache too`,
    );
  return {
    ...dayOf(reader, 'day'),
    model: cellOf(reader, 'model'),
    apiKey: undefined,
    split: '',
    told: {
      requests: countOf(reader, 'requests'),
      input,
      cached,
      output: countOf(reader, 'output_tokens'),
    },
  };
}

function consoleLine(reader: Reader): BillLine {
  const { cells } = reader.row;
  const cached = countOf(reader, 'usage_input_tokens_cache_read');
  const cacheWrite =
    countOf(reader, 'usage_input_tokens_cache_write_5m') +
    countOf(reader, 'usage_input_tokens_cache_write_1h');
  return {
    ...dayOf(reader, 'usage_date_utc'),
    model: cellOf(reader, 'model_version'),
    apiKey: cells.get('api_key'),
    split: consoleSplit.map((column) => `${column}=${cells.get(column) ?? ''}`).join(' '),
    told: {
      input: countOf(reader, 'usage_input_tokens_no_cache') + cached + cacheWrite,
      cached,
      cacheWrite,
      output: countOf(reader, 'usage_output_tokens'),
    },
  };
}

/** Reads a bill in CSV. Throws a BillError. */
export function readCsvBill(form: 'plain-csv' | 'anthropic-csv', file: string, text: string): BillPage {
  const table = csvTable(text);
  if (typeof table === 'string') throw new BillError(`\`${file}\` is no CSV: ${table}`);
  const needed: readonly string[] = form === 'plain-csv' ? plainNeeded : consoleNeeded;
  const missing = needed.filter((column) => !table.columns.includes(column));
  if (missing.length > 0)
    throw new BillError(
      `\`${file}\` has no column ${missing.map((column) => `\`${column}\``).join(', ')}: its first line must name it`,
    );
  const twice = table.columns.find((column, i) => table.columns.indexOf(column) !== i);
  if (twice !== undefined) throw new BillError(`\`${file}\` names the column \`${twice}\` twice`);
  const known: readonly string[] = [...plainNeeded, ...plainOptional];
  const unknown = form === 'plain-csv' ? table.columns.filter((column) => !known.includes(column)) : [];
  if (unknown.length > 0)
    throw new BillError(
      `\`${file}\` has the column \`${unknown[0]}\`, which is none of ${known.map((column) => `\`${column}\``).join(', ')}: take it out, or name it as one of these`,
    );
  const lineOf = form === 'plain-csv' ? plainLine : consoleLine;
  const lines = table.rows.map((row) => lineOf({ file, row }));
  return { form, file, spans: lines, lines, hasMore: false };
}
