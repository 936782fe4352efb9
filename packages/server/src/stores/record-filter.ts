// Owns what records are asked for by, and whether one fits, as the statement over rows has it.

import { quote } from '@countersign/core/ledger/canonical';
import type { RecordRow } from './schema.ts';

export type RecordFilter = {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly actor?: string;
  readonly decision?: string;
  readonly model?: string;
  readonly label?: string;
  readonly type?: string;
  readonly event?: string;
  readonly workspace?: string;
  readonly application?: string;
  readonly team?: string;
  readonly costCentre?: string;
};

/** How a team stands in a record's detail: an item of a list, since a model's name may be a team's id too. */
export const teamTexts = (team: string): readonly string[] => [`[${quote(team)}`, `,${quote(team)}`];
export const costCentreText = (costCentre: string): string => `"cc":${quote(costCentre)}`;
export const labelText = (label: string): string => ` ${label} `;

const isSame = (asked: string | undefined, found: string | null): boolean =>
  asked === undefined || asked === found;

/** True for a row that the filter asks for. */
export function fits(row: RecordRow, filter: RecordFilter): boolean {
  const { fromMs, toMs, label, team, costCentre } = filter;
  return (
    (fromMs === undefined || row.at >= fromMs) &&
    (toMs === undefined || row.at < toMs) &&
    isSame(filter.actor, row.actor_id) &&
    isSame(filter.decision, row.decision) &&
    isSame(filter.model, row.model) &&
    isSame(filter.type, row.type) &&
    isSame(filter.event, row.event) &&
    isSame(filter.workspace, row.workspace_id) &&
    isSame(filter.application, row.application_id) &&
    (label === undefined || row.labels?.includes(labelText(label)) === true) &&
    (team === undefined || teamTexts(team).some((text) => row.detail.includes(text))) &&
    (costCentre === undefined || row.detail.includes(costCentreText(costCentre)))
  );
}

/** Texts that stand in the entry of every record that fits: whoever lacks one need not be read. */
export function neededTexts(filter: RecordFilter): readonly Buffer[] {
  const { actor, model, workspace, application, team, costCentre, label } = filter;
  return [actor, model, workspace, application, team, costCentre, label].flatMap((text) =>
    text === undefined ? [] : [Buffer.from(quote(text), 'utf8')],
  );
}
