// Owns where an answer's terminal byte begins, and whether the answer is whole with it.

import { isObject } from '../json.ts';
import type { EndpointId } from './endpoints.ts';
import type { JsonRecord } from './request-builder.ts';

/** Ends of answers in any dialect: each is held, whatever stream it stands in. */
const heldTypes: ReadonlySet<string> = new Set([
  'message_stop',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'error',
]);

const responseEnds: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.cancelled',
]);

/** Marks whose presence in data that is no JSON makes it terminal: what we cannot read is held, not passed. */
const marks =
  /finish_reason|stop_reason|message_stop|response\.(?:completed|incomplete|failed|cancelled)|\[DONE\]/;

/**
 * What an event says of its answer's end. `held`: it waits for the record, and more is due; `whole`: with it the
 * answer is what its dialect calls complete; `error`: the provider gave up and says so.
 */
export type EventEnd = 'open' | 'held' | 'whole' | 'error';

/** Some providers send an empty text in every event until the last. */
const isReason = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

function countFinished(value: JsonRecord, finished: Set<unknown>): void {
  const choices: readonly unknown[] = Array.isArray(value.choices) ? value.choices : [];
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    if (isReason(choice.finish_reason)) finished.add(choice.index ?? 0);
  }
}

function isError(name: string, value: unknown): boolean {
  if (name === 'error' || name === 'response.failed') return true;
  if (!isObject(value)) return false;
  const { type, error } = value;
  return type === 'error' || type === 'response.failed' || (error !== undefined && error !== null);
}

/** The one event that completes an answer whose dialect names its events; `undefined` where choices finish. */
function namedEnd(endpoint: EndpointId, value: unknown): boolean | undefined {
  const type = isObject(value) ? value.type : undefined;
  if (endpoint === 'messages') return type === 'message_stop';
  if (endpoint === 'responses' || endpoint === 'response_object') return responseEnds.has(type);
  return undefined;
}

/**
 * Decides, event by event, which one is terminal. An answer of several choices is complete with the last of
 * them: a choice that finishes earlier passes, since holding the others' text until then would need as much
 * memory as the answer. `[DONE]`, an error event and the end of the body are held whatever came before;
 * so is `message_delta` with a stop reason, which clients take for the end before `message_stop` arrives.
 * Every dialect's marks hold in each stream, so that a passthrough holds back too; only the endpoint's own
 * complete it.
 */
export function createTerminalFinder(
  endpoint: EndpointId,
  choices: number,
): (name: string, data: string, value: unknown) => EventEnd {
  const finished = new Set<unknown>();
  return (name, data, value) => {
    if (isError(name, value)) return 'error';
    const isDone = data.trim() === '[DONE]';
    if (isObject(value) && finished.size < choices) countFinished(value, finished);
    const hasFinished = isDone || finished.size >= choices;
    if (namedEnd(endpoint, value) ?? hasFinished) return 'whole';
    if (hasFinished || heldTypes.has(name)) return 'held';
    if (!isObject(value)) return value === undefined && marks.test(data) ? 'held' : 'open';
    if (typeof value.type === 'string' && heldTypes.has(value.type)) return 'held';
    const { delta } = value;
    return isObject(delta) && typeof delta.stop_reason === 'string' && isReason(delta.stop_reason)
      ? 'held'
      : 'open';
  };
}

/** One pass for all marks: measured at a third of a search for each. `finish_reason` and `usage` matter unless they are empty. */
const matter =
  /finish_reason(?!":(?:null|""))|usage(?!":null)|error|message_|\[DONE\]|response\.(?:c|incomplete|failed)|file_id"|container_id"|"audio"|\\u/;

/**
 * A cheap look at a batch's text: false only if none of its events can be terminal, carry usage, or name an
 * object that the provider made. A key written with escapes (`\u`) could hide any of these: it always may matter.
 */
export function mayMatter(text: string): boolean {
  return matter.test(text);
}
