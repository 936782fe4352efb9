// Owns the verbs that are made from the contract: one for each operation, with flags from its schemas.

import { csvColumns, csvText } from '@countersign/contract/csv';
import { type Operation, pathParameters } from '@countersign/contract/operation';
import { isObject } from '@countersign/core/json';
import type { Client } from '@countersign/sdk/client/client';
import { type Command, csvFlag, type Flag, type Invocation, type Positional } from './command.ts';
import { connect, connectionFlags } from './connection.ts';
import { readFile } from './input-file.ts';
import { type ExitCode, UsageError } from './machine.ts';
import { exampleOf } from './operation-example.ts';
import { answerText, itemsOf } from './print-answer.ts';
import { safeJson, safeLine, safeLines } from './safe-text.ts';
import { type Member, membersOf, queryMembersOf, readJson, valuesOf } from './schema-flags.ts';

type Shape = {
  readonly operation: Operation;
  readonly query: readonly Member[];
  readonly body: readonly Member[];
  /** The whole body is one text: it is given as a file. */
  readonly isTextBody: boolean;
  readonly isList: boolean;
};

function shapeOf(operation: Operation): Shape {
  const body = membersOf(operation.body);
  const [only] = body;
  return {
    operation,
    query: queryMembersOf(operation),
    body,
    isTextBody: body.length === 1 && only?.name === 'text' && only.take === 'long_text',
    isList: operation.query.shape.cursor !== undefined,
  };
}

/** `key.rotate` of the tag `keys` is `keys rotate`; `record.content` is `records content`. */
export function verbOf({ tag, id }: Operation): string {
  return `${tag} ${(id.split('.')[1] ?? '').replaceAll('_', '-')}`;
}

function positionalsOf({ operation, isTextBody }: Shape): readonly Positional[] {
  const ids = pathParameters(operation.path).map((name) => ({
    name: name.toUpperCase(),
    required: true,
    description: name === 'id' ? `which: its id` : name,
  }));
  if (!isTextBody) return ids;
  return [
    ...ids,
    { name: 'FILE', required: true, description: 'a file with the text, or - for standard input' },
  ];
}

function flagsOf({ operation, query, body, isTextBody, isList }: Shape): readonly Flag[] {
  // The body may come whole from --json-body, so none of its members is required as a flag.
  const members = [...query, ...(isTextBody ? [] : body)].map(({ flag }) => ({
    ...flag,
    required: false,
    description: [flag.required ? 'needed' : '', flag.description].filter((part) => part !== '').join(': '),
  }));
  const whole: readonly Flag[] =
    body.length === 0 || isTextBody
      ? []
      : [
          {
            name: 'json-body',
            kind: 'text',
            value: 'JSON|@FILE',
            description: 'the whole input; flags change it',
          },
        ];
  const clear: readonly Flag[] = body.some(({ nullable }) => nullable)
    ? [
        {
          name: 'clear',
          kind: 'list',
          value: 'FLAG',
          description: 'take a value away, by the name of its flag',
        },
      ]
    : [];
  const pages: readonly Flag[] = isList
    ? [{ name: 'all', kind: 'switch', description: 'every page, not only the first' }, csvFlag]
    : [];
  const once: readonly Flag[] =
    operation.runs === 'command'
      ? [
          {
            name: 'idempotency-key',
            kind: 'text',
            value: 'TEXT',
            description: 'repeated with the same, the first answer is given again, without secrets',
          },
        ]
      : [];
  return [...members, ...whole, ...clear, ...pages, ...once, ...connectionFlags];
}

function bodyOf(shape: Shape, { args, flags, machine }: Invocation): unknown {
  const { operation, body, isTextBody } = shape;
  if (operation.body === null) return undefined;
  if (isTextBody) return { text: readFile(machine, args.at(-1) ?? '-') };
  const text = flags.text('json-body');
  const base = text === undefined ? {} : readJson(machine, 'json-body', text);
  if (!isObject(base)) throw new UsageError('`--json-body` takes a JSON object');
  return { ...base, ...valuesOf(machine, body, flags) };
}

type Input = {
  readonly params: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: unknown };
  readonly body: unknown;
  readonly idempotencyKey?: string;
};

function inputOf(shape: Shape, invocation: Invocation): Input {
  const { args, flags, machine } = invocation;
  const names = pathParameters(shape.operation.path);
  const idempotencyKey = flags.text('idempotency-key');
  // Flags of the query may share a name with none of the body: a test holds the contract to it.
  const query = valuesOf(machine, shape.query, {
    ...flags,
    list: (name) => (name === 'clear' ? [] : flags.list(name)),
  });
  return {
    params: Object.fromEntries(names.map((name, i) => [name, args[i] ?? ''])),
    query,
    body: bodyOf(shape, invocation),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

/** A page, or every page as one. */
async function ask(client: Client, { operation }: Shape, input: Input, all: boolean): Promise<unknown> {
  if (!all) return client.call(operation, input);
  const items: unknown[] = [];
  for await (const page of client.pages(operation, input)) items.push(...page);
  return { items };
}

/** What is kept, or read by other programs, without anything around it: a signed checkpoint, the text of metrics. */
function bareText({ operation }: Shape, answer: unknown): string | undefined {
  if (!isObject(answer)) return undefined;
  if (operation.id === 'ledger.checkpoint') return String(answer.checkpoint);
  return operation.id === 'metrics.read' ? String(answer.text) : undefined;
}

function print(shape: Shape, { flags, json, machine }: Invocation, answer: unknown): void {
  if (json) {
    machine.out(safeJson(answer));
    return;
  }
  const bare = bareText(shape, answer);
  if (bare !== undefined) {
    machine.out(safeLines(bare));
    return;
  }
  const items = itemsOf(answer);
  machine.out(
    flags.toggle('csv') === true && items !== undefined
      ? csvText(csvColumns(shape.operation.response), { items })
      : answerText(answer),
  );
  if (!isObject(answer)) return;
  if (shape.isList && typeof answer.next === 'string')
    machine.err(`there is more: add --all, or --cursor=${safeLine(answer.next)}\n`);
  if (shape.operation.id === 'policy.simulate' && typeof answer.skipped === 'number' && answer.skipped > 0)
    machine.err(
      'skipped are calls that cannot be decided again: their model is gone, or policy was never asked\n',
    );
  if (typeof answer.key === 'string' && /^key\.(create|rotate)$/.test(shape.operation.id))
    machine.err('the key is shown this once: keep it now\n');
}

async function runOperation(shape: Shape, invocation: Invocation): Promise<ExitCode> {
  const all = invocation.flags.toggle('all') === true;
  const input = inputOf(shape, invocation);
  const answer = await ask(connect(invocation), shape, input, all);
  print(shape, invocation, answer);
  return 0;
}

/** The verb of one operation. */
export function operationCommand(operation: Operation): Command {
  const shape = shapeOf(operation);
  return {
    name: verbOf(operation),
    summary: operation.summary,
    positionals: positionalsOf(shape),
    flags: flagsOf(shape),
    examples: [
      exampleOf(verbOf(operation), shape),
      ...(shape.isList ? [`${verbOf(operation)} --all --json`] : []),
    ],
    run: (invocation) => runOperation(shape, invocation),
  };
}
