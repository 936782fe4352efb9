// Owns the translation of a request into the shape that Cedar's own evaluator takes.

import { actionNames } from './actions.ts';
import { actionView } from './schema.ts';
import type { AnyRequest, Attributes, EntityView, Value } from './types.ts';

/** A value in Cedar's JSON form, without absent members. */
export type CedarValue = boolean | number | string | CedarValue[] | { [name: string]: CedarValue };
export type CedarUid = { type: string; id: string };
export type CedarEntity = { uid: CedarUid; attrs: Record<string, CedarValue>; parents: CedarUid[] };
export type CedarCall = {
  principal: CedarUid;
  action: CedarUid;
  resource: CedarUid;
  context: Record<string, CedarValue>;
  entities: CedarEntity[];
};

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function toRecord(attributes: Attributes): Record<string, CedarValue> {
  const present: [string, CedarValue][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) present.push([name, toCedarValue(value)]);
  }
  return Object.fromEntries(present);
}

function toCedarValue(value: Value): CedarValue {
  if (typeof value !== 'object') return value;
  if (isList(value)) return value.map(toCedarValue);
  return toRecord({ ...value });
}

/** The inverse of `uidKey`: a type has no quotes, so the first `::"` ends it. */
function fromKey(key: string): CedarUid {
  const at = key.indexOf('::"');
  return { type: key.slice(0, at), id: key.slice(at + 3, -1) };
}

function toEntity(view: EntityView): CedarEntity {
  return {
    uid: { type: view.type, id: view.id },
    attrs: toRecord(view.attributes),
    parents: [...view.ancestors].map(fromKey),
  };
}

/** The request as arguments for cedar-wasm's `isAuthorized`, with the principal, the resource and all actions. */
export function toCedarCall(request: AnyRequest): CedarCall {
  const { principal, resource } = request;
  const entities = [toEntity(principal)];
  if (resource.uid !== principal.uid) entities.push(toEntity(resource));
  for (const name of [...actionNames, 'call_model']) entities.push(toEntity(actionView(name)));
  return {
    principal: { type: principal.type, id: principal.id },
    action: { type: 'Action', id: request.action },
    resource: { type: resource.type, id: resource.id },
    context: toRecord(request.context),
    entities,
  };
}
