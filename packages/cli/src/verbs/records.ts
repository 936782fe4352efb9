// Owns `records`: past calls and changes, newest first, in the columns that people ask for.

import { csvColumns, csvText } from '@countersign/contract/csv';
import { recordList } from '@countersign/contract/evidence-operations';
import type { ItemOf } from '@countersign/sdk/client/client';
import { type Command, csvFlag, type Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import type { ExitCode } from '../machine.ts';
import { money } from '../money.ts';
import { safeJson, safeLine } from '../safe-text.ts';
import { queryMembersOf, valuesOf } from '../schema-flags.ts';
import { type Table, tableText } from '../table.ts';

type Item = ItemOf<typeof recordList>;

const columns = [
  'at',
  'id',
  'type',
  'event',
  'actor',
  'model',
  'decision',
  'rules',
  'status',
  'input',
  'output',
  'cost',
  'labels',
] as const;

function callerOf({ actor }: Item): string {
  return actor.name ?? (actor.kind === 'service' ? actor.applicationName : undefined) ?? actor.id;
}

function rowOf(item: Item): readonly string[] {
  const { usage } = item;
  return [
    item.at,
    item.id,
    item.type,
    item.event ?? '',
    [callerOf(item), ...item.actor.agents].join(' via '),
    item.model ?? '',
    item.decision ?? '',
    item.rules.join(' '),
    item.error ?? item.status ?? '',
    String(usage?.input ?? ''),
    String(usage?.output ?? ''),
    usage === undefined ? '' : money(usage.costNanos),
    item.labels.join(' '),
  ];
}

/** A table has no column for what an alert is about: it stands behind its event. */
function tableRowOf(item: Item): readonly string[] {
  const { alert } = item;
  const row = rowOf(item);
  if (alert === undefined) return row;
  return row.with(columns.indexOf('event'), `${alert.kind} of ${alert.aboutName ?? alert.about}`);
}

const filters = queryMembersOf(recordList);

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const query = valuesOf(machine, filters, flags);
  const client = connect(invocation);
  const items: Item[] = [];
  let next: string | undefined;
  if (flags.toggle('all') === true) {
    for await (const page of client.pages(recordList, { query })) items.push(...page);
  } else {
    const page = await client.call(recordList, { query });
    items.push(...page.items);
    next = page.next;
  }
  const table: Table = { columns, rows: items.map(tableRowOf) };
  if (json) machine.out(safeJson(next === undefined ? { items } : { items, next }));
  else if (flags.toggle('csv') === true) machine.out(csvText(csvColumns(recordList.response), { items }));
  else machine.out(items.length === 0 ? 'none\n' : tableText(table));
  if (next !== undefined && !json) machine.err(`there is more: add --all, or --cursor=${safeLine(next)}\n`);
  return 0;
}

export const records: Command = {
  name: 'records',
  summary: 'who asked what, when, and what was decided, newest first',
  positionals: [],
  flags: [
    ...filters.map(({ flag }) => flag),
    { name: 'all', kind: 'switch', description: 'every page, not only the first' },
    csvFlag,
    ...connectionFlags,
  ],
  examples: ['records --decision deny', 'records --label payment_card --from 2026-01-01 --all --csv'],
  run,
};
