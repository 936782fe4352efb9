// Tries the OpenAPI document against the rules that generators of clients rely on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { z } from 'zod';
import { keyCreate } from './access-operations.ts';
import { userCreate } from './directory-operations.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { openApi } from './openapi.ts';
import { pathParameters } from './operation.ts';
import { operations } from './operations.ts';

const options = { serverUrl: 'https://gateway.example.com', version: '0.1.0' };
const document = openApi(operations, options);

function* objectsIn(value: unknown): Generator<{ readonly [key: string]: unknown }, void> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  if (!isObject(value)) return;
  yield value;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test('every operation is described once, under an id of its own', () => {
  const ids = described.map(({ operation }) => operation.operationId);
  assert.equal(ids.length, operations.length);
  assert.deepEqual(new Set(ids).size, ids.length);
});

test('every parameter of a path is declared, required, and has a schema of its own', () => {
  for (const { path, operation } of described) {
    const declared = [...objectsIn(operation.parameters)].filter((one) => one.in === 'path');
    assert.deepEqual(
      declared.map(({ name }) => name),
      pathParameters(path),
      path,
    );
    for (const one of declared) {
      assert.equal(one.required, true);
      assert.ok(isObject(one.schema) && one.schema.type === 'string', `${path} ${String(one.name)}`);
    }
  }
});

test('every reference leads to something, and none stays inside a schema', () => {
  const text = JSON.stringify(document);
  assert.doesNotMatch(text, /\$defs|__schema/);
  const references = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path));
  assert.ok(references.has('components/schemas/Problem'));
  for (const path of references) {
    let at: unknown = document;
    for (const part of path.split('/')) at = isObject(at) ? at[part] : undefined;
    assert.ok(at !== undefined, path);
  }
});

test('a resource has one named shape, and lists refer to it', () => {
  assert.ok(document.components.schemas.TokenIssuer !== undefined);
  const list = JSON.stringify(document.paths['/workspaces']?.get);
  assert.match(list, /"items":\{"\$ref":"#\/components\/schemas\/Workspace"\}/);
});

test('every refusal is a problem, and every write may carry an idempotency key', () => {
  for (const { operation, method } of described) {
    assert.match(
      JSON.stringify(operation.responses),
      /"default":\{"\$ref":"#\/components\/responses\/Problem"/,
    );
    const command = operations.find(({ id }) => id === operation.operationId)?.runs === 'command';
    assert.equal(JSON.stringify(operation.parameters ?? []).includes('IdempotencyKey'), command, method);
  }
});

test('the same operations give the same text', () => {
  assert.equal(JSON.stringify(openApi(operations, options)), JSON.stringify(document));
});

test('two operations at one place are refused', () => {
  assert.throws(() => openApi([keyCreate, { ...keyCreate, id: 'key.again' }], options), /POST \/keys/);
});

test('an id is shown by its own prefix, a principal by all three', () => {
  const { properties } = jsonSchemaOf(keyCreate.body, 'input');
  assert.ok(isObject(properties));
  assert.match(JSON.stringify(properties.workspaceId), /\^\(\?:ws\)_/);
  assert.match(JSON.stringify(properties.principalId), /\^\(\?:usr\|svc\|agt\)_/);
});

test('an input refuses unknown members and an answer may grow', () => {
  assert.equal(jsonSchemaOf(userCreate.body, 'input').additionalProperties, false);
  assert.ok(!('additionalProperties' in jsonSchemaOf(userCreate.response, 'output')));
});

test('a default makes a member of an input optional', () => {
  const { required } = jsonSchemaOf(keyCreate.body, 'input');
  assert.deepEqual(required, ['name']);
});

test('a predicate that is no id has no JSON Schema', () => {
  assert.throws(
    () =>
      jsonSchemaOf(
        z.custom(() => false),
        'input',
      ),
    /accepts no id/,
  );
});
