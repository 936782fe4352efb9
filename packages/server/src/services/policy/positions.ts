// Owns places in a policy's text: byte offsets, as Cedar reports them, to lines and columns.

export type Position = { readonly line: number; readonly column: number };

/** The line and column, from 1, of a UTF-8 byte offset. Columns count characters (code points). */
export function positionOfByte(text: string, offset: number): Position {
  const before = Buffer.from(text, 'utf8').subarray(0, offset).toString('utf8');
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(start)].length + 1 };
}

/** Where each rule begins. `parts` are the rules' own texts in order; one that is not found begins at 1:1. */
export function rulePositions(text: string, parts: readonly string[]): readonly Position[] {
  let from = 0;
  return parts.map((part) => {
    const at = text.indexOf(part, from);
    if (at < 0) return { line: 1, column: 1 };
    from = at + part.length;
    return positionOfByte(text, Buffer.byteLength(text.slice(0, at), 'utf8'));
  });
}
