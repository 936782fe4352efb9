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

/** OWASP "CSV injection": these begin a formula, also behind white space and as wide letters. */
const formula = /^(?:[\t\n]|\s*[=+\-@＝＋－＠])/;

/**
 * The same behind what separates cells for a spreadsheet that takes no comma: in many languages it is `;`, and then a
 * quotation mark within a cell quotes nothing, or is dropped from the cell's begin.
 */
const formulaInside = /[;\t\n](?=(?:[^\S\t\n]|")*[=+\-@＝＋－＠])/g;

/** The value as a cell, quoted where it has to be. */
export function csvCell(value: unknown): string {
  // Controls but tab and line feed go: who prints the file to a terminal is not obeyed by it.
  const text = cellText(value).replace(/\p{Cc}/gu, (control) => (/[\t\n]/.test(control) ? control : ''));
  // A number is no text.
  if (typeof value === 'number') return text;
  const inside = text.replace(formulaInside, "$&'");
  const safe = formula.test(text) ? `'${inside}` : inside;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
