// Owns the example of an operation's verb: a line that can be pasted once its ids are filled in.

import { jsonSchemaOf } from '@countersign/contract/json-schema';
import { type Operation, pathParameters } from '@countersign/contract/operation';
import { isObject } from '@countersign/core/json';
import { sampleValue } from './json-form.ts';
import type { Member } from './schema-flags.ts';

/** A word as a shell takes it: in quotes if it holds what a shell reads. */
function quoted(word: string): string {
  return /^[\w@%+=:,./…-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Files of an example, by what is in them. */
function fileOf(flag: string): string {
  return flag === 'text' ? 'policy.cedar' : `${flag}.txt`;
}

function flagWords({ flag, take }: Member, value: unknown): readonly string[] {
  const name = `--${flag.name}`;
  if (take === 'switch') return [value === false ? `--no-${flag.name}` : name];
  if (take === 'long_text') return [name, `@${fileOf(flag.name)}`];
  const items: readonly unknown[] = take === 'list' && Array.isArray(value) ? value : [value];
  return items.flatMap((item) => [name, typeof item === 'string' ? item : JSON.stringify(item)]);
}

function parametersOf({ path, params }: Operation): readonly string[] {
  const { properties } = jsonSchemaOf(params, 'input');
  return pathParameters(path).map((name) => {
    const schema = isObject(properties) ? properties[name] : undefined;
    return String(sampleValue(isObject(schema) ? schema : {}));
  });
}

/** What an example gives: what the body's own example names, else what is needed, else the first member. */
function shownOf({ body }: Operation, members: readonly Member[]): readonly (readonly [Member, unknown])[] {
  const { examples } = body === null ? {} : jsonSchemaOf(body, 'input');
  const [whole]: readonly unknown[] = Array.isArray(examples) ? examples : [];
  if (isObject(whole))
    return members.flatMap((member) => (member.name in whole ? [[member, whole[member.name]] as const] : []));
  const needed = members.filter(({ flag }) => flag.required);
  // A change without any flag would change nothing.
  const shown = needed.length > 0 ? needed : members.slice(0, 1);
  return shown.map((member) => [member, sampleValue(member.schema)] as const);
}

/** The example, without `countersign`: `keys rotate key_… --overlap-seconds 86400`. */
export function exampleOf(
  verb: string,
  shape: {
    readonly operation: Operation;
    readonly body: readonly Member[];
    readonly isTextBody: boolean;
  },
): string {
  const { operation, body, isTextBody } = shape;
  const words = isTextBody
    ? [fileOf('text')]
    : shownOf(operation, body).flatMap(([member, value]) => flagWords(member, value));
  return [verb, ...[...parametersOf(operation), ...words].map(quoted)].join(' ');
}
