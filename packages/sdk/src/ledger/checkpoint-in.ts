// Owns a look at the checkpoint of an export before anything of it is verified.

import { type Checkpoint, parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { strictText } from './node-verifying.ts';
import { exportFiles, openExport, UnexpectedFileError } from './read-export.ts';

/** What an export says of itself. Not verified; undefined where there is no checkpoint, or something else in its place. */
export function checkpointIn(directory: string): Checkpoint | undefined {
  try {
    const text = strictText(openExport(directory).read(exportFiles.checkpoint) ?? new Uint8Array(0));
    return text === undefined ? undefined : parseSignedCheckpoint(text)?.checkpoint;
  } catch (error) {
    if (error instanceof UnexpectedFileError) return undefined;
    throw error;
  }
}
