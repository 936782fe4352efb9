// Owns what is asked of filters: an id where no name or address fits a row, and one cost centre in either spelling.

import { AppError } from '@countersign/core/errors';
import { isId, isPrincipalId } from '@countersign/core/ids';

/** Actors that are nobody in the directory. */
const nobodies: ReadonlySet<string> = new Set(['system', 'anonymous']);

const filters: {
  readonly [filter: string]: { readonly is: (text: string) => boolean; readonly where: string };
} = {
  actor: { is: (text) => isPrincipalId(text) || nobodies.has(text), where: '`users list`, `services list`' },
  workspace: { is: (text) => isId('workspace', text), where: '`workspaces list`' },
  application: { is: (text) => isId('service', text), where: '`services list`' },
};

type Account = { readonly costCentre?: string | undefined; readonly costCenter?: string | undefined };

/** The cost centre that is asked for, in either spelling. Throws `invalid_request` for two that differ. */
export function costCentreOf({ costCentre, costCenter }: Account): string | undefined {
  if (costCentre !== undefined && costCenter !== undefined && costCentre !== costCenter)
    throw new AppError(
      'invalid_request',
      '`costCentre` and `costCenter` are the same filter: give one of them',
    );
  return costCentre ?? costCenter;
}

/** Throws `invalid_request` for a filter that must be an id and is none: an empty list would say something false. */
export function needIds(asked: { readonly [filter: string]: unknown }): void {
  for (const [filter, { is, where }] of Object.entries(filters)) {
    const value = asked[filter];
    if (typeof value !== 'string' || is(value)) continue;
    throw new AppError(
      'invalid_request',
      `\`${filter}\` takes an id, and \`${value.slice(0, 80)}\` is none: ${where} shows them`,
    );
  }
}
