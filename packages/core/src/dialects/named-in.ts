// Owns what a value names by well-known keys, wherever they stand in it: stored objects, and other models.

import { isObject } from '../json.ts';
import { addModel, addReference, fold, type JsonRecord, type RequestBuilder } from './request-builder.ts';
import type { StateKind } from './request-types.ts';

/** Members that name stored objects, wherever they stand in the settings of what a provider runs. */
export const referenceKeys: ReadonlyMap<string, StateKind> = new Map([
  ['file_id', 'file'],
  ['file_ids', 'file'],
  ['vector_store_id', 'vector_store'],
  ['vector_store_ids', 'vector_store'],
  ['container', 'container'],
  ['container_id', 'container'],
  ['skill_id', 'skill'],
  ['connector_id', 'connector'],
]);

/** OpenAI's own connectors, which are there for everyone: as hosted tools, they are for policy to decide. */
const vendorConnectors: ReadonlySet<unknown> = new Set(
  ['dropbox', 'gmail', 'googlecalendar', 'googledrive', 'microsoftteams', 'outlookcalendar']
    .concat('outlookemail', 'sharepoint')
    .map((service) => `connector_${service}`),
);

/** True for an id that a vendor has given to something of its own: nobody's calls made it. */
export function isVendorsOwn(kind: string, id: unknown): boolean {
  return kind === 'connector' && vendorConnectors.has(id);
}

/** Notes every stored object that a value names by a known key. `container: "auto"` style objects are walked. */
export function addReferencesIn(builder: RequestBuilder, value: unknown): void {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addReferencesIn(builder, item);
    return;
  }
  if (!isObject(value)) return;
  for (const key in value) {
    const member = value[key];
    const kind = referenceKeys.get(key);
    if (kind !== undefined && isVendorsOwn(kind, member)) continue;
    if (kind !== undefined && typeof member === 'string') addReference(builder, kind, member);
    else if (kind !== undefined && Array.isArray(member)) {
      const ids: readonly unknown[] = member;
      for (const id of ids) addReference(builder, kind, id);
    } else addReferencesIn(builder, member);
  }
}

/** `model`, `models`, `fallback_models`, `fallbacks`, `content_policy_fallbacks`, `safety_model`, … in any case. */
const modelKey = /(?:models?|fallbacks?|^deployment(?:_id|_name)?|^lora_path|^adapter_id)$/;

/** True for a key whose value names models, in a body or in a query. */
export function isModelKey(key: string): boolean {
  return modelKey.test(fold(key));
}

/** What a client says in its own words or schema: a `model` in it is nobody's to run. */
const clientsOwn: ReadonlySet<string> = new Set([
  'messages',
  'input',
  'content',
  'system',
  'instructions',
  'documents',
  'metadata',
  'client_metadata', // Codex
  'litellm_metadata',
  'tools',
  'functions',
  'response_format',
  'text',
  'output_format',
  'output_config',
  'structured_outputs',
  'guided_json',
  'guided_grammar',
  'json_schema',
  'grammar',
  'schema',
  'response_schema',
  'chat_template_kwargs',
]);

const nothing: ReadonlySet<string> = new Set();

/** True for a member that holds the client's own words or schema. */
export function isClientsOwn(key: string): boolean {
  return clientsOwn.has(fold(key));
}

/** The models of one value below a key that names models: its strings, and what its objects hold. */
function addNamed(builder: RequestBuilder, value: unknown): void {
  if (typeof value === 'string') addModel(builder, value);
  else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addNamed(builder, item);
  } else if (isObject(value)) {
    // `{"model": "b", "temperature": 1}` names one; `{"a": ["b", "c"]}` is a table of names.
    if ('model' in value) addModelsIn(builder, value);
    else for (const key in value) if (!isClientsOwn(key)) addNamed(builder, value[key]);
  }
}

/**
 * Notes every model that an object's members name by a key which ends in `model`, `models` or `fallbacks`,
 * at any depth. Each gateway has a list of its own under a name of its own; policy decides on all of them.
 */
export function addModelsIn(
  builder: RequestBuilder,
  object: JsonRecord,
  known: ReadonlySet<string> = nothing,
): void {
  for (const key in object) {
    if (known.has(key) || isClientsOwn(key)) continue;
    const value = object[key];
    if (isModelKey(key)) addNamed(builder, value);
    else addModelsBelow(builder, value);
  }
}

function addModelsBelow(builder: RequestBuilder, value: unknown): void {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addModelsBelow(builder, item);
  } else if (isObject(value)) addModelsIn(builder, value);
}
