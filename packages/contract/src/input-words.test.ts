// Tests that whoever writes a member in a wrong form is told what the form is, and never a pattern.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issueText } from '@countersign/core/issue-text';
import { isObject } from '@countersign/core/json';
import { jsonSchemaOf } from './json-schema.ts';
import { operations } from './operations.ts';

test('every text with a pattern says in words what it must be', () => {
  let patterns = 0;
  for (const { id, query, body } of operations) {
    for (const schema of body === null ? [query] : [query, body]) {
      const { properties } = jsonSchemaOf(schema, 'input');
      for (const [name, member] of Object.entries(isObject(properties) ? properties : {})) {
        if (!isObject(member) || member.pattern === undefined) continue;
        patterns += 1;
        const issues = schema.safeParse({ [name]: ' ' }).error?.issues ?? [];
        const issue = issues.find(({ path }) => path[0] === name);
        assert.ok(issue !== undefined, `${id} ${name}`);
        assert.match(issueText(issue), /^must be (?!match)/, `${id} ${name}`);
      }
    }
  }
  assert.ok(patterns > 20);
});

/** Text of more than one line, or that is matched and never stored. */
const free: ReadonlySet<string> = new Set(['text', 'prompt', 'principal', 'endpoint', 'address', 'apiKey']);

test('no name, cost centre, client id or reason takes what acts on a terminal or turns text around', () => {
  const seen = new Set<string>();
  for (const { id, body } of operations) {
    if (body === null) continue;
    const { properties } = jsonSchemaOf(body, 'input');
    for (const [name, member] of Object.entries(isObject(properties) ? properties : {})) {
      if (!isObject(member) || !/"type":"string"/.test(JSON.stringify(member)) || free.has(name)) continue;
      if (/"(?:enum|const|items|properties|additionalProperties)":/.test(JSON.stringify(member))) continue;
      seen.add(name);
      for (const bad of ['E\u001b[2Jvil enough', 'two\nlines of it', 'turned \u202earound']) {
        const issues = body.safeParse({ [name]: bad }).error?.issues ?? [];
        assert.ok(
          issues.some(({ path }) => path[0] === name),
          `${id} ${name}`,
        );
      }
    }
  }
  for (const name of ['name', 'costCentre', 'clientId', 'reason']) assert.ok(seen.has(name), name);
});
