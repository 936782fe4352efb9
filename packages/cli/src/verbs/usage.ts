// Owns `usage`: tokens and cost by person, team, workspace, cost centre, model, application.

import { csvColumns, csvText } from '@countersign/contract/csv';
import type { ResponseOf } from '@countersign/contract/operation';
import { usageGroups, usageList } from '@countersign/contract/usage-operations';
import { type Command, csvFlag, type Invocation } from '../command.ts';
import { connect, connectionFlags } from '../connection.ts';
import type { ExitCode } from '../machine.ts';
import { money } from '../money.ts';
import { safeJson, safeLine } from '../safe-text.ts';
import { queryMembersOf, valuesOf } from '../schema-flags.ts';
import { type Table, tableText } from '../table.ts';

type Usage = ResponseOf<typeof usageList>;

const filters = queryMembersOf(usageList);

type Item = Usage['items'][number];

type Group = (typeof usageGroups)[number];

function nameOf({ names }: Item, group: Group): string | undefined {
  return group === 'model' || group === 'costCenter' ? undefined : names?.[group];
}

/** The names of a group's values, where each stands for one value alone; else, and without a name, the value. */
function labelled(items: Usage['items'], group: Group): (item: Item) => string {
  const idsOf = new Map<string, Set<string>>();
  for (const item of items) {
    const [id, name] = [item.group[group] ?? '', nameOf(item, group)];
    if (name !== undefined) idsOf.set(name, (idsOf.get(name) ?? new Set<string>()).add(id));
  }
  return (item) => {
    const [id, name] = [item.group[group] ?? '-', nameOf(item, group)];
    if (name === undefined) return id;
    return idsOf.get(name)?.size === 1 ? name : `${name} (${id})`;
  };
}

/** The groups of the answer, in the order in which they were asked for. */
function groupsOf(items: Usage['items'], groupBy: string): readonly Group[] {
  const asked = groupBy.split(',').map((word) => word.trim());
  return usageGroups
    .filter((group) => items.some((item) => item.group[group] !== undefined))
    .toSorted((a, b) => asked.indexOf(a) - asked.indexOf(b));
}

function tableOf({ items, currency }: Usage, groupBy: string): Table {
  const groups = groupsOf(items, groupBy);
  const cells = groups.map((group) => labelled(items, group));
  return {
    columns: [
      ...groups,
      'requests',
      'input',
      'output',
      'cached',
      'reasoning',
      `cost ${currency}`,
      'estimated',
    ],
    rows: items.map((item) => [
      ...cells.map((cell) => cell(item)),
      String(item.requests),
      String(item.input),
      String(item.output),
      String(item.cached),
      String(item.reasoning),
      money(item.costNanos),
      String(item.estimated),
    ]),
  };
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, json, machine } = invocation;
  const usage = await connect(invocation).call(usageList, { query: valuesOf(machine, filters, flags) });
  if (json) machine.out(safeJson(usage));
  else if (flags.toggle('csv') === true) machine.out(csvText(csvColumns(usageList.response), usage));
  else {
    machine.out(
      usage.items.length === 0 ? 'none\n' : tableText(tableOf(usage, flags.text('group-by') ?? '')),
    );
    machine.out(`from ${safeLine(usage.from)} to ${safeLine(usage.to)}\n`);
    if (usage.items.some(({ group }) => 'team' in group))
      machine.out('a call of somebody in several teams counts for each of them\n');
  }
  return 0;
}

export const usage: Command = {
  name: 'usage',
  summary: 'tokens and cost by person, team, workspace, cost centre, model, application',
  positionals: [],
  flags: [...filters.map(({ flag }) => flag), csvFlag, ...connectionFlags],
  examples: [
    'usage --group-by user,model',
    'usage --group-by costCenter --from 2026-01-01 --to 2026-01-31 --csv',
  ],
  run,
};
