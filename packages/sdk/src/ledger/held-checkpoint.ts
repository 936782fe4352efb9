// Owns the checkpoint that somebody kept: the signed note, in whichever form it was fetched.

import { isObject } from '@countersign/core/json';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseJson } from '@countersign/core/parse-json';

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/**
 * The signed note in the text of a file that was kept: the note itself, or the JSON of `GET /ledger/checkpoint` with
 * the note in its member `checkpoint`. Undefined where there is no checkpoint in it. Verifies nothing.
 */
export function heldNote(text: string): string | undefined {
  const answer = text.trimStart().startsWith('{') ? parsed(text) : undefined;
  const note = isObject(answer) ? answer.checkpoint : text;
  return typeof note === 'string' && parseSignedCheckpoint(note) !== undefined ? note : undefined;
}
