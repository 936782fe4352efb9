// Owns a strict reader of an OCSF event for tests, over an extract of the schema: of each class and object that we
// write, the attributes that we use and those that it requires, with their types, words and profiles.

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isObject } from '../../json.ts';
import { parseJson } from '../../parse-json.ts';

const attribute = z.strictObject({
  /** A plain type, or the name of an object; `any` for what the schema leaves open. */
  type: z.string(),
  list: z.boolean().optional(),
  required: z.boolean().optional(),
  /** The profile that brings it. */
  profile: z.string().optional(),
  /** Words by number. */
  enum: z.record(z.string(), z.string()).optional(),
  /** The attribute that has the number's word. */
  sibling: z.string().optional(),
});
const definition = {
  attributes: z.record(z.string(), attribute),
  atLeastOne: z.array(z.string()).optional(),
  justOne: z.array(z.string()).optional(),
};
const schema = z.strictObject({
  version: z.string(),
  classes: z.record(
    z.string(),
    z.strictObject({ ...definition, caption: z.string(), category: z.int(), profiles: z.array(z.string()) }),
  ),
  objects: z.record(z.string(), z.strictObject(definition)),
});

type Schema = z.output<typeof schema>;
type Attribute = z.output<typeof attribute>;
type Definition = Schema['objects'][string];
type Members = { readonly [name: string]: unknown };

const extract = new URL('./vectors/ocsf-1.8.0.json', import.meta.url);

function fail(path: string, what: string): never {
  throw new TypeError(`${path} ${what}`);
}

/** OCSF: the word of a number is its caption; of 99, `Other`, it is the source's own, and has to be there. */
function checkWord(value: unknown, { enum: words, sibling }: Attribute, beside: Members, path: string): void {
  if (words === undefined) return;
  const caption = words[String(value)] ?? fail(path, `has no value ${value}`);
  const word = sibling === undefined ? undefined : beside[sibling];
  if (value === 99 ? word === undefined || word === caption : word !== undefined && word !== caption)
    fail(path, `is ${value} (${caption}) beside \`${word}\``);
}

function reading({ objects }: Schema, profiles: readonly unknown[]) {
  function checkValue(value: unknown, type: string, path: string): void {
    if (type === 'any') return;
    if (type === 'integer') {
      if (!Number.isInteger(value)) fail(path, 'is no integer');
    } else if (type === 'string' || type === 'boolean') {
      if (typeof value !== type) fail(path, `is no ${type}`);
    } else if (isObject(value)) checkMembers(value, objects[type] ?? fail(path, 'is of no object'), path);
    else fail(path, 'is no object');
  }

  function checkMembers(value: Members, { attributes, atLeastOne, justOne }: Definition, path: string): void {
    for (const [name, member] of Object.entries(value)) {
      const at = `${path}.${name}`;
      const known = attributes[name] ?? fail(at, 'is not in the extract');
      if (known.profile !== undefined && !profiles.includes(known.profile)) fail(at, 'is of a profile');
      if (Array.isArray(member) !== (known.list === true)) fail(at, 'is a list or none');
      for (const one of Array.isArray(member) ? member : [member]) checkValue(one, known.type, at);
      checkWord(member, known, value, at);
    }
    for (const [name, { required, profile }] of Object.entries(attributes))
      if (required && (profile === undefined || profiles.includes(profile)) && value[name] === undefined)
        fail(`${path}.${name}`, 'is required');
    const count = (names: readonly string[]) => names.filter((name) => value[name] !== undefined).length;
    if (atLeastOne !== undefined && count(atLeastOne) === 0) fail(path, `has none of ${atLeastOne}`);
    if (justOne !== undefined && count(justOne) !== 1) fail(path, `has not one of ${justOne}`);
  }

  return checkMembers;
}

/** Reads one line. Throws a TypeError that says where it is no event of the schema's. */
export function readOcsf(line: string): Members {
  const known = schema.parse(parseJson(readFileSync(extract, 'utf8')));
  const event: unknown = parseJson(line);
  if (!isObject(event) || !isObject(event.metadata)) fail('$', 'is no event');
  const { class_uid: uid, class_name: name, activity_id: activity, metadata } = event;
  const one = known.classes[String(uid)] ?? fail('$.class_uid', 'is not in the extract');
  const profiles = Array.isArray(metadata.profiles) ? metadata.profiles : [];
  if (metadata.version !== known.version) fail('$.metadata.version', `is not ${known.version}`);
  if (name !== one.caption || event.category_uid !== one.category) fail('$', 'names another class');
  if (event.type_uid !== Number(uid) * 100 + Number(activity)) fail('$.type_uid', 'is of another activity');
  for (const profile of profiles)
    if (!one.profiles.includes(profile)) fail('$.metadata.profiles', `${profile} is not of the class`);
  reading(known, profiles)(event, one, '$');
  return event;
}
