// Owns lists as CSV (RFC 4180) that no spreadsheet takes for a formula.

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // OWASP "CSV injection": these begin a formula.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function flatten(value: object, prefix: string, into: Map<string, unknown>): void {
  for (const [name, member] of Object.entries(value)) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) flatten(member, key, into);
    else into.set(key, Array.isArray(member) ? member.join(' ') : member);
  }
}

/** The `items` of a list as CSV: nested members become columns with dots, in the order of their first appearance. */
export function toCsv(items: readonly unknown[]): string {
  const rows = items.map((item) => {
    const row = new Map<string, unknown>();
    if (typeof item === 'object' && item !== null) flatten(item, '', row);
    return row;
  });
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const lines = rows.map((row) => columns.map((column) => cell(row.get(column))).join(','));
  return [columns.map(cell).join(','), ...lines, ''].join('\r\n');
}
