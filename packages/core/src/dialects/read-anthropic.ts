// Owns reading the bodies of Anthropic's messages and messages/count_tokens.

import { isObject } from '../json.ts';
import { readTool, readTools } from './hosted-tools.ts';
import { levels } from './known-keys.ts';
import { readContent } from './read-content.ts';
import { roleOf } from './read-openai.ts';
import { addRest, addWhole } from './read-rest.ts';
import { addSettings } from './read-settings.ts';
import {
  addHostedTool,
  addModel,
  addProblem,
  addReference,
  checkKeys,
  eachObject,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';

const containerKeys: ReadonlySet<string> = new Set(['id', 'skills']);
const skillKeys: ReadonlySet<string> = new Set(['type', 'skill_id', 'version']);
const threadKeys: ReadonlySet<string> = new Set(['type', 'previous_message_id']);
const fallbackKeys: ReadonlySet<string> = new Set(['model', 'max_tokens']);
const serverKeys: ReadonlySet<string> = new Set([
  'type',
  'name',
  'url',
  'tool_configuration',
  'authorization_token',
]);

function readContainer(builder: RequestBuilder, container: unknown): void {
  if (container === undefined || container === null) return;
  addHostedTool(builder, 'container');
  if (!isObject(container)) {
    addReference(builder, 'container', container);
    return;
  }
  checkKeys(builder, container, containerKeys);
  addReference(builder, 'container', container.id);
  eachObject(builder, container.skills, 'skills', (skill) => {
    checkKeys(builder, skill, skillKeys);
    // Skills of the vendor's own (`type: "anthropic"`) are everybody's; custom ones belong to somebody.
    if (skill.type !== 'anthropic') addReference(builder, 'skill', skill.skill_id);
  });
}

/** Substitute models that the provider may run instead: policy decides on each; its own unnamed choice is a hosted tool. */
function readFallbacks(builder: RequestBuilder, fallbacks: unknown): void {
  if (fallbacks === undefined || fallbacks === null) return;
  if (typeof fallbacks === 'string') {
    addHostedTool(builder, `fallbacks:${fallbacks.slice(0, 64)}`);
    return;
  }
  eachObject(builder, fallbacks, 'fallbacks', (fallback) => {
    checkKeys(builder, fallback, fallbackKeys);
    addModel(builder, fallback.model);
  });
}

function readThread(builder: RequestBuilder, thread: unknown): void {
  if (thread === undefined || thread === null) return;
  if (!isObject(thread)) {
    addProblem(builder, '`thread` must be an object');
    return;
  }
  checkKeys(builder, thread, threadKeys);
  addReference(builder, 'response', thread.previous_message_id);
}

/** The largest limit among the fallbacks, each of which may replace the request's own. */
export function fallbackLimit(root: JsonRecord): number {
  const fallbacks: readonly unknown[] = Array.isArray(root.fallbacks) ? root.fallbacks : [];
  let largest = 0;
  for (const fallback of fallbacks) {
    const limit = isObject(fallback) ? fallback.max_tokens : undefined;
    if (typeof limit === 'number' && limit > largest) largest = limit;
  }
  return largest;
}

/** True when the provider is asked to hold the conversation. */
export function storesThread(root: JsonRecord): boolean {
  return root.thread !== undefined && root.thread !== null;
}

/** Reads a body of the messages endpoints; each answers once. */
export function readMessages(builder: RequestBuilder, root: JsonRecord): number {
  if (!Array.isArray(root.messages))
    addProblem(builder, '`messages` must be an array; send at least one message');
  readContent(builder, 'system', root.system, ['system']);
  eachObject(builder, root.messages, 'messages', (message, i) => {
    const role = roleOf(message.role);
    readContent(builder, role, message.content, ['messages', i, 'content']);
    addRest(builder, role, message, levels.message, ['messages', i]);
  });
  readTools(builder, root.tools, ['tools']);
  eachObject(builder, root.mcp_servers, 'mcp_servers', (server, i) => {
    checkKeys(builder, server, serverKeys);
    readTool(builder, { type: 'url', name: server.name });
    addWhole(builder, 'system', server, ['mcp_servers', i]);
  });
  readContainer(builder, root.container);
  readFallbacks(builder, root.fallbacks);
  readThread(builder, root.thread);
  addSettings(builder, root, levels.messages);
  return 1;
}
