// Owns the command that keeps ARCHITECTURE.md's drawing of the floors: `node tools/draw.ts [--write]`.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawHouse, drawingMarkers, withDrawing } from './floors.ts';

const path = join(import.meta.dirname, '..', 'ARCHITECTURE.md');

if (process.argv.includes('--write')) {
  const drawn = withDrawing(readFileSync(path, 'utf8'));
  if (drawn === undefined) {
    process.stderr.write(
      `put \`${drawingMarkers.begin}\` and \`${drawingMarkers.end}\` into ARCHITECTURE.md first\n`,
    );
    process.exitCode = 1;
  } else {
    writeFileSync(path, drawn);
  }
} else {
  process.stdout.write(`${drawHouse()}\n`);
}
