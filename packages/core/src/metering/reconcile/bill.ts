// Owns the shape of a provider's bill: its forms, its lines, and why a file is refused.

import type { Measure, Told } from './amounts.ts';

/** Every form of a bill that is read. */
export const billForms = [
  'openai-completions',
  'openai-embeddings',
  'anthropic-messages',
  'anthropic-csv',
  'plain-csv',
] as const;

export type BillForm = (typeof billForms)[number];

/** From `startMs` up to but not including `endMs`, in milliseconds since 1970-01-01 UTC. */
export type Span = { readonly startMs: number; readonly endMs: number };

/** One line: what a model used in a time that lies in one UTC day. */
export type BillLine = Span & {
  readonly model: string;
  /** The provider's key that it was used with, where the bill tells. */
  readonly apiKey: string | undefined;
  /** By what else the bill splits its lines: lines that agree in this, the model and the time are one line twice. */
  readonly split: string;
  readonly told: Told;
};

/** What one file says, or one page of it. */
export type BillPage = {
  readonly form: BillForm;
  /** The file's name, for messages. */
  readonly file: string;
  /** The times that it speaks of, also those in which nothing was used. */
  readonly spans: readonly Span[];
  readonly lines: readonly BillLine[];
  /** The provider said that there are further pages. */
  readonly hasMore: boolean;
};

/** What each form tells where something was used; a plain file may tell less. */
export const measuresOf: { readonly [F in BillForm]: readonly Measure[] } = {
  'openai-completions': ['requests', 'input', 'cached', 'cacheWrite', 'output'],
  'openai-embeddings': ['requests', 'input'],
  'anthropic-messages': ['input', 'cached', 'cacheWrite', 'output'],
  'anthropic-csv': ['input', 'cached', 'cacheWrite', 'output'],
  'plain-csv': ['requests', 'input', 'cached', 'output'],
};

const openAiCompletions: ReadonlySet<string> = new Set([
  'chat',
  'completions',
  'responses',
  'response_compact',
]);
const openAiEmbeddings: ReadonlySet<string> = new Set(['embeddings']);
const everyModelEndpoint: ReadonlySet<string> = new Set([
  ...openAiCompletions,
  ...openAiEmbeddings,
  'messages',
]);

/** The endpoints, by their names in records, whose calls a bill of this form is about. */
export function endpointsOf(form: BillForm): ReadonlySet<string> {
  if (form === 'openai-completions') return openAiCompletions;
  return form === 'openai-embeddings' ? openAiEmbeddings : everyModelEndpoint;
}

/** A bill that cannot be read or compared. The message names the file and says what to do. */
export class BillError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BillError';
  }
}

/** A moment as people read it: `2026-03-03T05:00Z`, or the day alone at its beginning. */
export function momentText(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16)}Z`;
}

/** The UTC day of a moment: `2026-03-03`. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
