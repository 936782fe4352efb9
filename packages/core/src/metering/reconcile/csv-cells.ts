// Owns reading CSV (RFC 4180): cells, quoted or not, by the names of their columns.

/** Lines of cells; undefined where a quote is never closed, or text follows a closing one. */
export function csvCells(text: string): readonly (readonly string[])[] | undefined {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  // A mark of byte order is what some spreadsheets write first.
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    cell.lastIndex = at;
    const found = cell.exec(text);
    if (found === null) return undefined;
    const [whole, quoted, plain = '', end] = found;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    if (end === ',') {
      // After a comma at the very end stands one more cell, which is empty.
      if (at === text.length) row.push('');
      continue;
    }
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

/** One line below the names of the columns. */
export type CsvRow = {
  /** From 1, counted in rows: a cell with line feeds counts once. */
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
};

export type CsvTable = { readonly columns: readonly string[]; readonly rows: readonly CsvRow[] };

/** A table with the names of its columns in its first line; a text says why it is none. Empty lines are passed over. */
export function csvTable(text: string): CsvTable | string {
  const all = csvCells(text);
  if (all === undefined) return 'a quote is not closed, or text follows one';
  const [first = [], ...rest] = all;
  const columns = first.map((column) => column.trim());
  const rows: CsvRow[] = [];
  for (const [i, cells] of rest.entries()) {
    if (cells.length === 1 && cells[0]?.trim() === '') continue;
    if (cells.length !== columns.length)
      return `line ${i + 2} has ${cells.length} cells where its first line names ${columns.length} columns`;
    rows.push({ line: i + 2, cells: new Map(columns.map((column, n) => [column, cells[n]?.trim() ?? ''])) });
  }
  return { columns, rows };
}
