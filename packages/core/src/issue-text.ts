// Owns what is said of a value that does not fit its schema: in our words, with what to give instead.

import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type IssueOf<Code extends Issue['code']> = Extract<Issue, { readonly code: Code }>;

function named(values: readonly unknown[]): string {
  return values.map((value) => `\`${String(value)}\``).join(', ');
}

/** Names of a caller's own choosing that are repeated to them, and characters of each. */
const mostNames = 10;
const mostUnits = 64;

/** What a caller wrote: the first names, cut, and how many more there are. */
function repeated(names: readonly string[]): string {
  const shown = named(names.slice(0, mostNames).map((name) => name.slice(0, mostUnits)));
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}

function oneOf(values: readonly unknown[]): string {
  return `must be ${values.length > 1 ? 'one of ' : ''}${named(values)}`;
}

const given: { readonly [type: string]: string } = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** What is counted where a value has a size of its own; a number has none. */
const units: { readonly [origin: string]: readonly [one: string, many: string] } = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
  map: ['member', 'members'],
  record: ['member', 'members'],
  file: ['byte', 'bytes'],
};

const formats: { readonly [format: string]: string } = {
  email: 'must be an e-mail address, such as `alice@example.com`',
  url: 'must be an http or https URL, such as `https://api.example.com/v1`',
  datetime: 'must be a time in RFC 3339, such as `2026-01-31T12:00:00Z`',
  date: 'must be a date, such as `2026-01-31`',
  cidrv4: 'must be a range of addresses, such as `10.0.0.0/8`',
  cidrv6: 'must be a range of addresses, such as `2001:db8::/32`',
  ipv4: 'must be an address, such as `192.0.2.1`',
  ipv6: 'must be an address, such as `2001:db8::1`',
};

type Bound = {
  readonly limit: number;
  readonly word: 'at least' | 'at most';
  /** What a number that may not be the limit itself must be: `more than`. */
  readonly strict: 'more than' | 'less than';
};

function boundText({ origin, inclusive, exact }: IssueOf<'too_big' | 'too_small'>, bound: Bound): string {
  const { limit, word, strict } = bound;
  const unit = units[origin];
  if (unit === undefined)
    return exact === true ? `must be ${limit}` : `must be ${inclusive === false ? strict : word} ${limit}`;
  const counted = `${limit} ${unit[limit === 1 ? 0 : 1]}`;
  if (exact === true) return `must have ${counted}`;
  if (word === 'at least' && limit === 1)
    return `must not be empty: give ${origin === 'string' ? 'text' : `one ${unit[0]} or more`}`;
  return `must have ${inclusive === false ? strict : word} ${counted}`;
}

function unionText({ discriminator, errors, ...issue }: IssueOf<'invalid_union'>): string {
  if ('options' in issue && issue.options !== undefined) return oneOf(issue.options);
  if (discriminator !== undefined) return 'is not one that is known here';
  const texts = [...new Set(errors.flatMap(([first]) => (first === undefined ? [] : [issueText(first)])))];
  return texts.length === 0 ? 'has a form that is not taken here' : texts.join(', or ');
}

function formatText(issue: IssueOf<'invalid_format'>): string {
  const text = formats[issue.format];
  if (text !== undefined) return text;
  return issue.pattern === undefined
    ? `must be written as ${issue.format}`
    : `has another form than the one that is taken: it must match \`${issue.pattern}\``;
}

/** Zod's own messages begin so; ours are in lower case. */
const isZodsOwn = /^(?:Invalid |Unrecognized key|Too (?:small|big):)/;

/** The sentence for one issue, to follow the name of the field. A schema's own message stays as it is. */
export function issueText(issue: Issue): string {
  const { message } = issue;
  if (!isZodsOwn.test(message)) return message;
  switch (issue.code) {
    case 'invalid_type': {
      const what = message.endsWith('received undefined') ? 'is missing' : 'is of another kind';
      return `${what}: give ${given[issue.expected] ?? `a value of type ${issue.expected}`}`;
    }
    case 'invalid_value':
      return oneOf(issue.values);
    case 'unrecognized_keys':
      return `has ${repeated(issue.keys)}, which nothing here reads: leave it out`;
    case 'too_small':
      return boundText(issue, { limit: Number(issue.minimum), word: 'at least', strict: 'more than' });
    case 'too_big':
      return boundText(issue, { limit: Number(issue.maximum), word: 'at most', strict: 'less than' });
    case 'invalid_format':
      return formatText(issue);
    case 'invalid_union':
      return unionText(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return 'has a name that is not taken here';
    default:
      return 'is not a value that is taken here';
  }
}
