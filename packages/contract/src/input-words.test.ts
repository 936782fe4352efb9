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
