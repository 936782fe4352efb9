// Owns where in an answer a provider says what it made: files and containers of its own sandbox.

import { isObject } from '../json.ts';
import type { JsonRecord } from './request-builder.ts';
import type { CreatedStateKind } from './usage-types.ts';

/** Hears of a thing that was made; an `id` that is none is passed over. */
export type NoteMade = (kind: CreatedStateKind, id: unknown) => void;

const none: readonly JsonRecord[] = [];

/** The objects of a list; none of anything else. */
export function recordsOf(value: unknown): readonly JsonRecord[] {
  if (!Array.isArray(value)) return none;
  const items: readonly unknown[] = value;
  return items.filter(isObject);
}

/** Where in its own sandbox a provider wrote a file that an answer cites. */
export function noteCited(
  { type, file_id: file, container_id: container }: JsonRecord,
  note: NoteMade,
): void {
  if (type !== 'container_file_citation' && type !== 'file_path') return;
  note('file', file);
  note('container', container);
}

/** Results of code that a provider ran: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/code-execution-tool */
const codeResult = /^(?:bash_|text_editor_)?code_execution_tool_result$/;

/**
 * Files and containers that a part of an answer made. INVARIANT: only the places that the provider alone writes. What a
 * model says to a tool, and what a tool of the caller's says of itself, is in the caller's hands: an id that stands
 * there becomes nobody's.
 */
export function noteMadeIn(part: JsonRecord, note: NoteMade): void {
  if (part.type === 'code_interpreter_call') {
    note('container', part.container_id);
    for (const output of recordsOf(part.outputs))
      for (const file of recordsOf(output.files)) note('file', file.file_id);
  }
  if (part.type === 'message')
    for (const { annotations } of recordsOf(part.content))
      for (const annotation of recordsOf(annotations)) noteCited(annotation, note);
  if (typeof part.type === 'string' && codeResult.test(part.type) && isObject(part.content))
    for (const output of recordsOf(part.content.content)) note('file', output.file_id);
}
