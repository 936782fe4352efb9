// Owns the list of gates, and the reading of the real tree that they are held against.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { castsGate } from './casts.ts';
import { commentsGate } from './comments.ts';
import { cyclesGate } from './cycles.ts';
import { dependenciesGate } from './dependencies.ts';
import { docsGate, drawingGate } from './docs.ts';
import { egressGate } from './egress.ts';
import { floorsGate } from './floors.ts';
import { jsonGate } from './json.ts';
import { leaksGate } from './leaks.ts';
import { purityGate } from './purity.ts';
import { scopeGate } from './scope.ts';
import { barrelsGate, openingGate, sizeGate } from './size.ts';
import { sqlGate } from './sql.ts';
import { stateGate } from './state.ts';
import type { Gate, SourceText } from './tree.ts';

export type GateName =
  | 'floors'
  | 'purity'
  | 'casts'
  | 'cycles'
  | 'barrels'
  | 'size'
  | 'opening'
  | 'comments'
  | 'sql'
  | 'json'
  | 'scope'
  | 'state'
  | 'egress'
  | 'leaks'
  | 'docs'
  | 'drawing'
  | 'dependencies';

export const gates: Readonly<Record<GateName, Gate>> = {
  floors: floorsGate,
  purity: purityGate,
  casts: castsGate,
  cycles: cyclesGate,
  barrels: barrelsGate,
  size: sizeGate,
  opening: openingGate,
  comments: commentsGate,
  sql: sqlGate,
  json: jsonGate,
  scope: scopeGate,
  state: stateGate,
  egress: egressGate,
  leaks: leaksGate,
  docs: docsGate,
  drawing: drawingGate,
  dependencies: dependenciesGate,
};

/** Reads every file that is committed or about to be; binary files are left out. */
export function readRepository(root: string): readonly SourceText[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return listed
    .split('\0')
    .filter((path) => path !== '')
    .flatMap((path) => {
      const text = readText(join(root, path));
      return text === undefined || text.includes('\0') ? [] : [{ path, text }];
    });
}

/** The text of a file; undefined for what is listed but not there (deleted, a folder's link). */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
