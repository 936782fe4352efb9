// Owns an entry as a line of OpenTelemetry logs: the JSON form of one request to export one record (OTLP 1.x).

import { assertNever } from '../../errors.ts';
import type { Entry } from '../entry.ts';
import {
  type CopiedEntry,
  failureOf,
  type Gravity,
  gravityOf,
  kindOf,
  millisecondsOf,
  policyOf,
  requestOf,
  statusOf,
  targetOf,
  tokensOf,
  usageOf,
} from './copied-entry.ts';

type Value = string | number | bigint | readonly string[] | undefined;
type Attribute = readonly [key: string, value: Value];

/** `AnyValue` in proto3's JSON: 64-bit integers are strings. */
function anyValue(value: NonNullable<Value>): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number' || typeof value === 'bigint') return { intValue: String(value) };
  return { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } };
}

function attributes(list: readonly Attribute[]): readonly object[] {
  return list.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));
}

/** `SeverityNumber` and its short name. */
const severities: { readonly [G in Gravity]: readonly [number: number, text: string] } = {
  informational: [9, 'INFO'],
  warning: [13, 'WARN'],
  error: [17, 'ERROR'],
  // 21 and more say that a program has come to its end.
  critical: [20, 'ERROR4'],
};

/** What the conventions for generative AI call these endpoints; the others have no name there. */
const operations = new Map([
  ['chat', 'chat'],
  ['messages', 'chat'],
  ['responses', 'chat'],
  ['completions', 'text_completion'],
  ['embeddings', 'embeddings'],
]);

function genAi(entry: Entry): readonly Attribute[] {
  if (entry.type !== 'model_call' && entry.type !== 'tool_call') return [];
  const { endpoint, provider, model, served, tool } = entry.target;
  const usage = usageOf(entry);
  const tokens = usage === undefined ? undefined : tokensOf(usage);
  const written =
    usage?.cache_write === undefined && usage?.cache_write_1h === undefined
      ? undefined
      : BigInt(usage.cache_write ?? 0) + BigInt(usage.cache_write_1h ?? 0);
  return [
    ['gen_ai.operation.name', entry.type === 'tool_call' ? 'execute_tool' : operations.get(endpoint ?? '')],
    ['gen_ai.provider.name', provider],
    ['gen_ai.request.model', model],
    ['gen_ai.response.model', entry.phase === 'outcome' ? served : undefined],
    ['gen_ai.tool.name', tool],
    ['gen_ai.usage.input_tokens', tokens?.input],
    ['gen_ai.usage.output_tokens', tokens?.output],
    ['gen_ai.usage.cache_read.input_tokens', usage?.cached],
    ['gen_ai.usage.cache_creation.input_tokens', written],
    ['gen_ai.usage.reasoning.output_tokens', usage?.reasoning],
  ];
}

/** What only one type of entry has and somebody will search for. */
function ofType(entry: Entry): readonly Attribute[] {
  switch (entry.type) {
    case 'model_call':
    case 'tool_call':
      return [
        ['countersign.attempt', entry.attempt],
        ['countersign.intent', entry.phase === 'outcome' ? entry.intent : undefined],
        ['countersign.cost_nanos', usageOf(entry)?.cost_nanos],
        ['countersign.currency', usageOf(entry)?.currency],
        ['countersign.cost_centre', entry.cc],
        ['countersign.labels', entry.class?.labels],
        ['countersign.run', entry.run?.id],
      ];
    case 'management':
      return [
        ['countersign.operation', entry.op],
        ['countersign.reason', entry.reason],
      ];
    case 'content_read':
      return [
        ['countersign.record', entry.record],
        ['countersign.reason', entry.reason],
      ];
    case 'erasure':
      return [
        ['countersign.subject', entry.subject],
        ['countersign.reason', entry.reason],
      ];
    case 'alert':
      return [['countersign.alert', entry.alert.kind]];
    case 'refused_credentials':
      return [['countersign.refused', entry.refused.total]];
    case 'checkpoint':
    case 'log_opened':
      return [];
    default:
      return assertNever(entry);
  }
}

function allAttributes({ entry, index, leaf }: CopiedEntry): readonly object[] {
  const policy = policyOf(entry);
  const failure = failureOf(entry);
  return attributes([
    ['countersign.index', index],
    ['countersign.leaf_hash', leaf],
    ['countersign.log', entry.log],
    ['log.record.uid', entry.id],
    ['countersign.type', entry.type],
    ['countersign.phase', 'phase' in entry ? entry.phase : undefined],
    ['countersign.status', statusOf(entry)],
    ['countersign.request', requestOf(entry)],
    ['user.id', entry.actor.id],
    ['user.roles', entry.actor.roles],
    ['countersign.actor.kind', entry.actor.kind],
    ['countersign.actor.credential', entry.actor.cred],
    ['session.id', entry.actor.session],
    ['countersign.resource', targetOf(entry)?.resource],
    ['countersign.policy.decision', policy?.decision],
    ['countersign.policy.version', policy?.version],
    ['countersign.policy.rules', policy?.rules],
    ['countersign.policy.reason', policy?.reason],
    ['error.type', failure?.code],
    ['http.response.status_code', failure?.http],
    ...genAi(entry),
    ...ofType(entry),
  ]);
}

/** A trace id as OTLP has it: 16 bytes in hex, not all zero. */
function traceIdOf(trace: string | undefined): string | undefined {
  return trace !== undefined && /^(?!0{32})[0-9a-fA-F]{32}$/.test(trace) ? trace : undefined;
}

/** The last whole millisecond whose nanoseconds fit into 64 bits: in the year 2554. */
const lastMillisecond = 18_446_744_073_709;

/** Without a number in between: nanoseconds of today are more than 2^53. Unknown is 0, and so is what does not fit. */
function nanosOf(milliseconds: number): string {
  return milliseconds === 0 || milliseconds > lastMillisecond ? '0' : `${milliseconds}000000`;
}

/** One line without its line feed: a request with one record, whose body is the entry's exact text. */
export function otlpCopy(copied: CopiedEntry): string {
  const { entry, text } = copied;
  const [severityNumber, severityText] = severities[gravityOf(entry)];
  const nanos = nanosOf(millisecondsOf(entry.ts));
  const record = {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber,
    severityText,
    eventName: `countersign.${kindOf(entry)}`,
    body: { stringValue: text },
    attributes: allAttributes(copied),
    traceId: traceIdOf(entry.trace),
  };
  const resource = {
    attributes: attributes([
      ['service.name', 'countersign'],
      ['service.instance.id', entry.boot],
      ['host.name', entry.node],
    ]),
  };
  const scopeLogs = [{ scope: { name: 'countersign.ledger' }, logRecords: [record] }];
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] });
}
