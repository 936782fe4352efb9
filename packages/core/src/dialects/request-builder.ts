// Owns the notebook that the readers of the dialects fill while they walk a parsed body.

import { isObject } from '../json.ts';
import {
  type BodyPath,
  mostParts,
  type OpaqueReason,
  type Part,
  type PartRole,
  type StateKind,
  type StateReference,
} from './request-types.ts';

export type JsonRecord = { readonly [key: string]: unknown };

/**
 * Lives for one parse. `problem` holds the first reason to refuse; readers go on after it, harmlessly. Sets are there from
 * their first member on: most bodies name nothing.
 */
export type RequestBuilder = {
  readonly parts: Part[];
  hostedTools: Set<string> | undefined;
  otherModels: Set<string> | undefined;
  references: Map<string, StateReference> | undefined;
  images: number;
  audios: number;
  files: number;
  /** Bytes of inline images and audio, which are not text. */
  mediaBytes: number;
  predictionBytes: number;
  problem: string | undefined;
};

export function newRequestBuilder(): RequestBuilder {
  return {
    parts: [],
    hostedTools: undefined,
    otherModels: undefined,
    references: undefined,
    images: 0,
    audios: 0,
    files: 0,
    mediaBytes: 0,
    predictionBytes: 0,
    problem: undefined,
  };
}

export function addProblem(builder: RequestBuilder, message: string): void {
  builder.problem ??= message;
}

/** True while there is room for a part more; one too many is a reason to refuse. */
function hasRoom(builder: RequestBuilder): boolean {
  if (builder.parts.length < mostParts) return true;
  addProblem(builder, `the request has more than ${mostParts} parts; split it`);
  return false;
}

export function addText(builder: RequestBuilder, role: PartRole, text: string, path: BodyPath): void {
  if (text !== '' && hasRoom(builder))
    builder.parts.push({ kind: 'text', role, text, path, structured: false });
}

/** What an id or a setting says: a string, or the JSON text of anything else. */
export function addControl(builder: RequestBuilder, role: PartRole, value: unknown, path: BodyPath): void {
  const structured = typeof value === 'object';
  const text = typeof value === 'string' ? value : withoutControls(JSON.stringify(value));
  if (text.length > (structured ? 2 : 0) && hasRoom(builder))
    builder.parts.push({ kind: 'text', role, text, path, structured, isControl: true });
}

/** A text that no string of the body holds, such as the name of a member: it cannot be redacted. */
export function addOutside(builder: RequestBuilder, role: PartRole, text: string): void {
  addText(builder, role, text, []);
}

/** Controls as JSON text has them (`\\u0007`, `\\b`); a backslash that is itself escaped is taken whole. */
const escapedControl = /\\(\\|u00[01][0-9a-f]|[bf])/g;

/** JSON text without the controls in its strings, which would part letters there as they do not in a text. */
function withoutControls(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(escapedControl, (found) => (found === '\\\\' ? found : ''));
}

/** A value that is read as its JSON text: arguments, schemas, fields that we do not know. */
export function addStructured(builder: RequestBuilder, role: PartRole, value: object, path: BodyPath): void {
  if (!hasRoom(builder)) return;
  const text = withoutControls(JSON.stringify(value));
  if (text.length > 2) builder.parts.push({ kind: 'text', role, text, path, structured: true });
}

export function addOpaque(
  builder: RequestBuilder,
  role: PartRole,
  reason: OpaqueReason,
  path: BodyPath,
): void {
  if (hasRoom(builder)) builder.parts.push({ kind: 'opaque', role, reason, path });
}

/** The longest id or name that is taken from a body as such. */
const maxName = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule refuses
const plainName = /^[^\u0000-\u001f\u007f]+$/;

/** True for a short string without control characters or lone surrogates. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= maxName && plainName.test(value) && value.isWellFormed()
  );
}

/** Notes an id that the provider will resolve; anything but a plain name is a reason to refuse. */
export function addReference(builder: RequestBuilder, kind: StateKind, id: unknown): void {
  if (id === undefined || id === null) return;
  if (!isName(id)) {
    addProblem(
      builder,
      `an id of a ${kind.replaceAll('_', ' ')} must be a string of 1 to ${maxName} characters`,
    );
    return;
  }
  builder.references ??= new Map();
  builder.references.set(`${kind} ${id}`, { kind, id });
}

/** Notes a model named beside `model`. */
export function addModel(builder: RequestBuilder, model: unknown): void {
  if (model === undefined || model === null) return;
  if (!isName(model)) {
    addProblem(builder, 'each `model` in the body must be the name of a model');
    return;
  }
  builder.otherModels ??= new Set();
  builder.otherModels.add(model);
}

/** Notes a tool that the provider runs. */
export function addHostedTool(builder: RequestBuilder, name: string): void {
  builder.hostedTools ??= new Set();
  builder.hostedTools.add(name);
}

const plainKey = /^[a-z0-9_]*$/;

/** Folds as lenient JSON readers do (Go's encoding/json takes `ſtream` for `stream`): upper then lower case. */
export function fold(key: string): string {
  return plainKey.test(key) ? key : key.toUpperCase().toLowerCase();
}

/** Refuses a key that differs from one in `known` only in case: another reader may take it for that one. */
export function checkKey(builder: RequestBuilder, key: string, known: ReadonlySet<string>): void {
  if (!plainKey.test(key) && known.has(fold(key))) addLookalike(builder, key);
}

/** `checkKey` for all members of an object. */
export function checkKeys(builder: RequestBuilder, object: JsonRecord, known: ReadonlySet<string>): void {
  for (const key in object) if (!known.has(key)) checkKey(builder, key, known);
}

function addLookalike(builder: RequestBuilder, key: string): void {
  const shown = key.length > 40 ? `${key.slice(0, 40)}…` : key;
  addProblem(
    builder,
    `the key \`${shown}\` differs from \`${fold(shown)}\` only in case; write it in lower case`,
  );
}

/** A token limit or a count: absent, null, or a whole number in range. Anything else is a reason to refuse. */
export function readCount(
  builder: RequestBuilder,
  object: JsonRecord,
  key: string,
  least: number,
): number | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 0x7fffffff)
    return value;
  addProblem(builder, `\`${key}\` must be a whole number of at least ${least}`);
  return undefined;
}

/** A flag: absent, null, or a boolean. A string or number is refused: upstreams differ in what they make of it. */
export function readFlag(builder: RequestBuilder, object: JsonRecord, key: string): boolean | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  addProblem(builder, `\`${key}\` must be true or false`);
  return undefined;
}

/** The objects of an array; anything else in it, or in its place, is a reason to refuse. */
export function eachObject(
  builder: RequestBuilder,
  value: unknown,
  name: string,
  read: (object: JsonRecord, index: number) => void,
): void {
  if (value === undefined || value === null) return;
  if (!Array.isArray(value)) {
    addProblem(builder, `\`${name}\` must be an array of objects`);
    return;
  }
  const items: readonly unknown[] = value;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i];
    if (isObject(item)) read(item, i);
    else addProblem(builder, `\`${name}\` must be an array of objects`);
  }
}
