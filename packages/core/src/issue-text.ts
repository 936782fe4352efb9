// Owns what is said of a value that does not fit its schema: in our words, with what to give instead.

import type { z } from 'zod';

function named(values: readonly unknown[]): string {
  return values.map((value) => `\`${String(value)}\``).join(', ');
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

/** The sentence for one issue, to follow the name of the field. A schema's own message stays as it is. */
export function issueText(issue: z.core.$ZodIssue): string {
  const { message } = issue;
  const isOwn = !/^(?:Invalid (?:input|option)|Unrecognized key)/.test(message);
  if (isOwn) return message;
  if (issue.code === 'invalid_type') {
    const what = message.endsWith('received undefined') ? 'is missing' : 'is of another kind';
    return `${what}: give ${given[issue.expected] ?? `a value of type ${issue.expected}`}`;
  }
  if (issue.code === 'invalid_value')
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${named(issue.values)}`;
  if (issue.code === 'unrecognized_keys')
    return `has ${named(issue.keys)}, which nothing here reads: leave it out`;
  return message;
}
