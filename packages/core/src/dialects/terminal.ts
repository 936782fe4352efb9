// Owns where an answer's terminal byte begins: what may reach the client only after the outcome is recorded.

import { isObject } from '../json.ts';
import type { JsonRecord } from './request-builder.ts';

const terminalTypes: ReadonlySet<string> = new Set([
  'message_stop',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'error',
]);

/** Marks whose presence in data that is no JSON makes it terminal: what we cannot read is held, not passed. */
const marks =
  /finish_reason|stop_reason|message_stop|response\.(?:completed|incomplete|failed|cancelled)|\[DONE\]/;

function countFinished(value: JsonRecord, finished: Set<unknown>): void {
  const choices: readonly unknown[] = Array.isArray(value.choices) ? value.choices : [];
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    if (choice.finish_reason !== undefined && choice.finish_reason !== null) finished.add(choice.index ?? 0);
  }
}

/**
 * Decides, event by event, which one is terminal. An answer of several choices is complete with the last of
 * them: a choice that finishes earlier passes, since holding the others' text until then would need as much
 * memory as the answer. `[DONE]`, an error event and the end of the body are terminal whatever came before;
 * so is `message_delta` with a stop reason, which clients take for the end before `message_stop` arrives.
 * Every dialect's marks count in each stream, so that a passthrough holds back too.
 */
export function createTerminalFinder(
  choices: number,
): (name: string, data: string, value: unknown) => boolean {
  const finished = new Set<unknown>();
  return (name, data, value) => {
    if (terminalTypes.has(name) || data.trim() === '[DONE]') return true;
    if (!isObject(value)) return value === undefined && marks.test(data);
    if (typeof value.type === 'string' && terminalTypes.has(value.type)) return true;
    if (value.error !== undefined && value.error !== null) return true;
    if (isObject(value.delta) && typeof value.delta.stop_reason === 'string') return true;
    countFinished(value, finished);
    return finished.size >= choices;
  };
}

/** One pass for all marks: measured at a third of a search for each. `finish_reason` and `usage` matter unless null. */
const matter =
  /finish_reason(?!":null)|usage(?!":null)|error|message_|\[DONE\]|response\.(?:c|incomplete|failed)|file_id"|container_id"|\\u/;

/**
 * A cheap look at a batch's text: false only if none of its events can be terminal, carry usage, or name an
 * object that the provider made. A key written with escapes (`\u`) could hide any of these: it always may matter.
 */
export function mayMatter(text: string): boolean {
  return matter.test(text);
}
