// Owns cursors: where a page ended, told apart from text that never came from this list of this organization.

import { hash } from 'node:crypto';
import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';

/** Of what list a cursor is. */
export type CursorOf = { readonly orgId: OrgId; readonly list: string };

const checkLength = 10;

/** A checksum, no signature: a page is scoped by its query, whatever the cursor says. */
function checkOf({ orgId, list }: CursorOf, position: string): string {
  return hash('sha256', `${orgId}\u0000${list}\u0000${position}`, 'hex').slice(0, checkLength);
}

/** The cursor of a page that ended at `position`. */
export function cursorAt(of: CursorOf, position: string): string {
  return `${position}.${checkOf(of, position)}`;
}

/** The position that a cursor names; undefined for the first page. Throws `invalid_request` for a foreign one. */
export function positionOf(of: CursorOf, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const at = cursor.lastIndexOf('.');
  const position = cursor.slice(0, Math.max(at, 0));
  if (at > 0 && cursor.slice(at + 1) === checkOf(of, position)) return position;
  throw new AppError(
    'invalid_request',
    'the cursor is not of this list: begin without one, then send `next` as it came',
  );
}

/** A page from one row more than was asked for. `positionOfRow` says where the next page begins. */
export function pageOfRows<T, U>(
  of: CursorOf,
  rows: readonly T[],
  limit: number,
  positionOfRow: (row: T) => string,
  shown: (row: T) => U,
): { readonly items: U[]; readonly next?: string } {
  const kept = rows.slice(0, limit);
  const items = kept.map(shown);
  const last = kept.at(-1);
  return rows.length > limit && last !== undefined
    ? { items, next: cursorAt(of, positionOfRow(last)) }
    : { items };
}
