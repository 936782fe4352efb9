// Owns what rows need of who acted, when and by which key, out of an entry's canonical members.

import { membersOf, unquote } from '@countersign/core/ledger/members';
import { parseJson } from '@countersign/core/parse-json';

/** A key and when it was used, in milliseconds since 1970. */
export type KeyUse = { readonly keyId: string; readonly atMs: number };

/** One who acts for somebody, as entries name them. */
export type Acting = { readonly id: string; readonly kind: string };

/** What rows need of an actor, from its canonical text: everything but `act` as literals. */
export type Actor = {
  readonly act: readonly Acting[];
  readonly cred: string | undefined;
  readonly id: string;
  readonly kind: string | undefined;
  readonly teams: string | undefined;
  readonly ws: string | undefined;
};

const actorMembers = ['act', 'cred', 'id', 'kind', 'teams', 'ws'];

// INVARIANT: everything here reads our own committed bytes, which were held to the schema when they were written.
function isActing(value: unknown): value is readonly Acting[] {
  return Array.isArray(value);
}

function readActs(text: string | undefined): readonly Acting[] {
  const value: unknown = text === undefined ? [] : parseJson(text);
  return isActing(value) ? value : [];
}

export function readActor(text: string): Actor {
  const [act, cred, id, kind, teams, ws] = membersOf(text, actorMembers);
  return { act: readActs(act), cred, id: id ?? '""', kind, teams, ws };
}

export const textOf = (literal: string | undefined): string | null =>
  literal === undefined ? null : unquote(literal);

export function timeOf({ ts }: { readonly ts: string | undefined }): number {
  return Date.parse(textOf(ts) ?? '');
}

/** The service through which a person's call came, or the service that called by itself: as a literal. */
export function applicationOf({ kind, id, act }: Actor): string | undefined {
  if (kind === '"service"') return id;
  const service = act.find((acting) => acting.kind === 'service');
  return service === undefined ? undefined : JSON.stringify(service.id);
}

/** The key of a credential that is one. A string of its own: it is kept, and a piece of a text would keep all of that. */
export function keyUseOf({ cred }: Actor, atMs: number): KeyUse | undefined {
  if (cred?.startsWith('"key_') !== true) return undefined;
  const keyId: unknown = parseJson(cred);
  return typeof keyId === 'string' ? { keyId, atMs } : undefined;
}
