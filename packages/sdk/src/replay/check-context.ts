// Owns the check of a decision's input: what the directory, the entry and the calendar determine in `ctx`.

import type { Directory } from '@countersign/core/directory/directory';
import type { Key } from '@countersign/core/directory/objects';
import { isObject } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CallIntent } from '@countersign/core/ledger/entry';
import { entityRef } from '@countersign/core/policy/entity';
import type { Attributes, Value } from '@countersign/core/policy/types';
import { expectSame, type Report } from './difference.ts';

/** How far an entry's time may lie from the time that its decision read, in seconds. */
const maxClockSeconds = 60;

function isValue(value: unknown): value is Value {
  if (Array.isArray(value)) return value.every(isValue);
  if (isObject(value)) return Object.values(value).every((member) => member === undefined || isValue(member));
  return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
}

/** The recorded input as policy reads it; undefined if it holds what policy has no value for. */
export function readContext(ctx: unknown): Attributes | undefined {
  const isContext = (value: unknown): value is Attributes => isObject(value) && isValue(value);
  return isContext(ctx) ? ctx : undefined;
}

function timeOf(atMs: number): Attributes {
  const at = new Date(atMs);
  // getUTCDay counts from Sunday as 0; policy counts from Monday as 1.
  return { epoch: Math.floor(atMs / 1000), hour: at.getUTCHours(), weekday: at.getUTCDay() || 7 };
}

/** A member of a recorded object; undefined if it is none. */
function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function checkTime(entry: CallIntent, context: Attributes, report: Report): void {
  const { time } = context;
  const read = memberOf(time, 'epoch');
  const epoch = typeof read === 'number' ? read : Number.NaN;
  const seconds = Date.parse(entry.ts) / 1000;
  if (!(Math.abs(seconds - epoch) <= maxClockSeconds)) {
    report('context_differs', `time.epoch ${epoch}`, `about ${Math.floor(seconds)}, when the entry was made`);
    return;
  }
  same('time', time, timeOf(epoch * 1000), report);
}

function same(name: string, recorded: unknown, replayed: unknown, report: Report): void {
  const text = (value: unknown): string => (value === undefined ? 'absent' : canonicalJson(value));
  expectSame(report, 'context_differs', `${name} ${text(recorded)}`, `${name} ${text(replayed)}`);
}

function keyContext(key: Key) {
  const { id, environment, costCentre } = key;
  return { id, environment, costCentre };
}

function checkAgents(directory: Directory, entry: CallIntent, context: Attributes, report: Report): void {
  const chain = (entry.actor.act ?? []).filter(({ kind }) => kind === 'agent').map(({ id }) => id);
  const [id] = chain;
  const name = id === undefined ? undefined : directory.tables.agent.get(id)?.name;
  const { agent } = context;
  // Trust and assurance come from outside the directory.
  const stated =
    agent === undefined
      ? undefined
      : Object.fromEntries(['id', 'name', 'chain', 'depth'].map((part) => [part, memberOf(agent, part)]));
  same('agent', stated, id === undefined ? undefined : { id, name, chain, depth: chain.length }, report);
}

/** Holds what can be known of a decision's input to the fold at its place, and to the entry beside it. */
export function checkContext(
  directory: Directory,
  entry: CallIntent,
  context: Attributes,
  key: Key | undefined,
  report: Report,
): void {
  const workspaceId = entry.actor.ws ?? '';
  same('workspace', context.workspace, entityRef('Workspace', workspaceId), report);
  same('workspaceName', context.workspaceName, directory.tables.workspace.get(workspaceId)?.name, report);
  same('endpoint', context.endpoint, entry.target.endpoint, report);
  same('key', context.key, key === undefined ? undefined : keyContext(key), report);
  const through = (entry.actor.act ?? []).find(({ kind }) => kind === 'service')?.id;
  const id = entry.actor.kind === 'service' ? entry.actor.id : through;
  const name = id === undefined ? undefined : directory.tables.service.get(id)?.name;
  same('application', context.application, id === undefined ? undefined : { id, name }, report);
  checkAgents(directory, entry, context, report);
  checkTime(entry, context, report);
  if (entry.class !== undefined) same('labels', context.labels, entry.class.labels, report);
  same('authentication.proof', memberOf(context.authentication, 'proof'), entry.actor.proof, report);
}
