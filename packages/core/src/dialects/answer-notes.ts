// Owns what is noted of an answer as it is read: what it says that it cost, and what it made at the provider.

import { isObject } from '../json.ts';
import type { EndpointId } from './endpoints.ts';
import { type NoteMade, noteCited, noteMadeIn, recordsOf } from './made-in-answer.ts';
import type { JsonRecord } from './request-builder.ts';
import { mergeUsage, usageOf } from './usage.ts';
import type { AnswerEnding, CreatedStateKind } from './usage-types.ts';

export type Notes = {
  ending: AnswerEnding;
  usage: JsonRecord | undefined;
  /** The provider has said what it means to be its last word on usage. */
  isFinal: boolean;
  servedModel: string | undefined;
  responseId: string | undefined;
  serviceTier: string | undefined;
  passed: JsonRecord | undefined;
  readonly created: Map<string, { readonly kind: CreatedStateKind; readonly id: string }>;
};

export function newNotes(): Notes {
  return {
    ending: 'cut',
    usage: undefined,
    isFinal: false,
    servedModel: undefined,
    responseId: undefined,
    serviceTier: undefined,
    passed: undefined,
    created: new Map(),
  };
}

/** An id that can be named again in a request's path or body, and kept by any database. */
export const isStorable = (id: string): boolean =>
  id !== '' && id.length <= 256 && id.isWellFormed() && !id.includes('\u0000');

/** Ids that are noted of one answer: a stream has no end to them. Further ones become nobody's. */
const mostCreated = 10_000;

function noteCreated(notes: Notes, kind: CreatedStateKind, id: unknown): void {
  if (typeof id !== 'string' || !isStorable(id) || notes.created.size >= mostCreated) return;
  notes.created.set(`${kind} ${id}`, { kind, id });
}

const noteIn =
  (notes: Notes): NoteMade =>
  (kind, id) =>
    noteCreated(notes, kind, id);

/** A spoken answer is kept under an id of its own, by which the next turn repeats it. */
function noteSound(notes: Notes, { message, delta }: JsonRecord): void {
  if (isObject(message) && isObject(message.audio)) noteCreated(notes, 'audio', message.audio.id);
  if (isObject(delta) && isObject(delta.audio)) noteCreated(notes, 'audio', delta.audio.id);
}

/** Reads what an answer object says of itself: a whole body, or the `message` or `response` inside an event. */
export function noteAnswer(notes: Notes, endpoint: EndpointId, answer: JsonRecord): void {
  if (typeof answer.id === 'string' && answer.id !== '') {
    notes.responseId = answer.id;
    if (answer.object === 'response' || answer.type === 'message') noteCreated(notes, 'response', answer.id);
    else if (endpoint === 'chat') noteCreated(notes, 'completion', answer.id);
  }
  if (typeof answer.model === 'string' && answer.model !== '') notes.servedModel = answer.model;
  if (typeof answer.service_tier === 'string') notes.serviceTier = answer.service_tier;
  if (isObject(answer.container)) noteCreated(notes, 'container', answer.container.id);
  if (isObject(answer.conversation)) noteCreated(notes, 'conversation', answer.conversation.id);
  const usage = usageOf(answer);
  if (usage !== undefined) {
    notes.usage = mergeUsage(notes.usage, usage);
    if (typeof usage.service_tier === 'string') notes.serviceTier = usage.service_tier;
  }
  for (const choice of recordsOf(answer.choices)) noteSound(notes, choice);
  for (const item of recordsOf(answer.output)) {
    noteCreated(notes, 'item', item.id);
    noteMadeIn(item, noteIn(notes));
  }
  for (const block of recordsOf(answer.content)) noteMadeIn(block, noteIn(notes));
}

export function noteEvent(notes: Notes, endpoint: EndpointId, event: JsonRecord): void {
  if (isObject(event.message)) noteAnswer(notes, endpoint, event.message);
  else if (isObject(event.response)) {
    noteAnswer(notes, endpoint, event.response);
    if (usageOf(event.response) !== undefined) notes.isFinal = true;
  } else {
    noteAnswer(notes, endpoint, event);
    if (usageOf(event) !== undefined) notes.isFinal = true;
  }
  if (isObject(event.delta) && isObject(event.delta.container)) {
    noteCreated(notes, 'container', event.delta.container.id);
  }
  if (isObject(event.content_block)) noteMadeIn(event.content_block, noteIn(notes));
  if (isObject(event.annotation)) noteCited(event.annotation, noteIn(notes));
  if (isObject(event.item)) {
    noteCreated(notes, 'item', event.item.id);
    noteMadeIn(event.item, noteIn(notes));
  }
}
