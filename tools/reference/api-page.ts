// Owns the reference page of the management API, made from the contract's operations.

import { type JsonSchema, jsonSchemaOf } from '@countersign/contract/json-schema';
import { type Operation, pathParameters } from '@countersign/contract/operation';
import { isObject } from '@countersign/core/json';

/** A pipe inside a table's cell ends the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function idType(pattern: unknown): string | undefined {
  const prefixes = /^\^\(\?:([a-z|]+)\)_/.exec(typeof pattern === 'string' ? pattern : '')?.[1];
  return prefixes === undefined ? undefined : `id \`${prefixes.replaceAll('|', '_…` or `')}_…\``;
}

function variants(schemas: readonly unknown[]): string {
  return [...new Set(schemas.map((one) => (isObject(one) ? typeText(one) : 'any')))].join(' or ');
}

function objectText(schema: JsonSchema): string {
  if (!isObject(schema.properties)) {
    const { additionalProperties } = schema;
    return isObject(additionalProperties) ? `object of ${typeText(additionalProperties)}` : 'object';
  }
  const required = Array.isArray(schema.required) ? schema.required : [];
  const members = Object.entries(schema.properties).map(
    ([name, member]) =>
      `${name}${required.includes(name) ? '' : '?'}: ${isObject(member) ? typeText(member) : 'any'}`,
  );
  return `{ ${members.join(', ')} }`;
}

/** A schema in a few words: `integer`, `"day" or "week"`, `list of id`. */
function typeText(schema: JsonSchema): string {
  const { type, anyOf, oneOf, items, enum: values, format, pattern } = schema;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (Array.isArray(anyOf)) return variants(anyOf);
  if (Array.isArray(oneOf)) return variants(oneOf);
  if (Array.isArray(type)) return type.map((one) => typeText({ ...schema, type: one })).join(' or ');
  if (type === 'array') return `list of ${isObject(items) ? typeText(items) : 'any'}`;
  if (type === 'object') return objectText(schema);
  if (type === 'string') return idType(pattern) ?? (typeof format === 'string' ? format : 'text');
  return typeof type === 'string' ? type : 'any JSON';
}

function boundsText({
  minimum,
  maximum,
  minLength,
  maxLength,
  default: fallback,
  description,
}: JsonSchema): string {
  const isBound = (value: unknown): value is number =>
    typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return [
    typeof description === 'string' ? description : '',
    isBound(minimum) ? `at least ${minimum}` : '',
    isBound(maximum) ? `at most ${maximum}` : '',
    isBound(minLength) && minLength > 1 ? `${minLength} characters or more` : '',
    isBound(maxLength) ? `up to ${maxLength} characters` : '',
    fallback === undefined ? '' : `else \`${JSON.stringify(fallback)}\``,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function membersTable(title: string, schema: JsonSchema): readonly string[] {
  if (!isObject(schema.properties) || Object.keys(schema.properties).length === 0) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  const rows = Object.entries(schema.properties).map(([name, member]) => {
    const inner = isObject(member) ? member : {};
    const needed = required.includes(name) ? 'yes' : '';
    return `| \`${name}\` | ${cell(typeText(inner))} | ${needed} | ${cell(boundsText(inner))} |`;
  });
  return ['', `| ${title} | type | needed | |`, '| --- | --- | --- | --- |', ...rows];
}

function operationText(operation: Operation): string {
  const { id, method, path, summary, permission, audit, body, response, alsoProduces, status } = operation;
  const answer = typeText(jsonSchemaOf(response, 'output'));
  const also =
    alsoProduces.length === 0
      ? ''
      : ` Also as ${alsoProduces.map((one) => `\`${one}\``).join(', ')} (\`Accept\`).`;
  const event = audit === null ? '' : ' Is recorded in the ledger.';
  const permissions = permission.map((one) => `\`${one}\``).join(' or ');
  return [
    `### ${id}`,
    '',
    `\`${method} /api/v1${path}\`: ${summary}.`,
    '',
    `Needs ${permissions}.${event}`,
    ...(pathParameters(path).length === 0
      ? []
      : membersTable('path', jsonSchemaOf(operation.params, 'input'))),
    ...membersTable('query', jsonSchemaOf(operation.query, 'input')),
    ...(body === null ? [] : membersTable('body', jsonSchemaOf(body, 'input'))),
    '',
    `Answers ${status} with \`${answer.replaceAll('`', '')}\`.${also}`,
    '',
  ].join('\n');
}

/** The page as Markdown. docs/reference/api.md is this text. */
export function apiPage(operations: readonly Operation[]): string {
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const sections = tags.flatMap((tag) => [
    `## ${tag}\n`,
    ...operations.filter((operation) => operation.tag === tag).map(operationText),
  ]);
  return [
    '# Management API',
    '',
    'Made from the contract by `node tools/reference/main.ts`; a test keeps the two equal. The same as OpenAPI 3.1:',
    '`/api/v1/openapi.json`.',
    '',
    'JSON over HTTP under `/api/v1`. The key (`Authorization: Bearer`, use `management`) settles the organization.',
    'Lists are newest first, 50 at a time (`limit`, up to 200); `next` is the `cursor` of the next page and absent on',
    'the last. A refusal is an RFC 9457 problem (`application/problem+json`) with a stable `code`, a `detail` and the',
    '`requestId`. A write may carry `Idempotency-Key`: repeated with the same within a day, the first result is given',
    'again, without secrets that are shown once. Answers may gain members; inputs with unknown members are refused.',
    'A body has at most 256 KiB (4 MiB for policy), 32 levels and 10,000 values, and names no member twice in an object;',
    'a refusal names the first 20 fields that do not fit.',
    '',
    'An answer that is also there as another media type is asked for by `Accept`. Records and usage come as CSV with',
    '`?format=csv` or `Accept: text/csv`: a line of names first, then a line for each item, in columns that are always',
    'all of those of the schema in its order (`actor.name` is the member `name` of `actor`; what stands beside the',
    'items, such as `currency`, is a column of every line). The cursor of the next page is in the header',
    '`x-next-cursor`. Text that a spreadsheet would take for a formula begins with an apostrophe, also behind a `;`, which',
    'separates cells in many languages, and behind a tab or a line feed; other controls are left out. Money is in',
    'nano-units: 1 USD is 1000000000 in `costNanos`.',
    '',
    ...sections,
  ].join('\n');
}
