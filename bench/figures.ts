// Owns the line of figures that a child prints among other lines: a JSON object whose first member names them.

import { z } from 'zod';

/**
 * Reads the one line `{"figures":"name",…}` out of what a child printed; a test's reporter may put a sign before it.
 * Throws if there is none, if there are several, or if it has another shape: such a child has measured nothing.
 */
export function readFigures<T>(printed: string, name: string, shape: z.ZodType<T>): T {
  const start = `{"figures":${JSON.stringify(name)}`;
  const lines = printed.split('\n').flatMap((line) => {
    const at = line.indexOf(start);
    return at < 0 ? [] : [line.slice(at).trim()];
  });
  const [line] = lines;
  if (line === undefined || lines.length > 1)
    throw new Error(`there are ${lines.length} lines of figures of \`${name}\` instead of one`);
  const read = shape.safeParse(parsed(line));
  if (!read.success)
    throw new Error(`the figures of \`${name}\` cannot be read: ${z.prettifyError(read.error)}`);
  return read.data;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
