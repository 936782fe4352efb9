// Owns one cell of CSV (RFC 4180): the text of a value, and its form that no spreadsheet takes for a formula.

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** A value as text: nothing for what is not there, a list of plain values with spaces between, JSON for the rest. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value) && value.every(isPlain)) return value.map(String).join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The value as a cell, quoted where it has to be. */
export function csvCell(value: unknown): string {
  // Controls but tab and line feed go: who prints the file to a terminal is not obeyed by it.
  const text = cellText(value).replace(/\p{Cc}/gu, (control) => (/[\t\n]/.test(control) ? control : ''));
  // OWASP "CSV injection": these begin a formula, also behind white space and as wide letters. A number is one.
  const safe = typeof value !== 'number' && /^(?:[\t\n]|\s*[=+\-@＝＋－＠])/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
