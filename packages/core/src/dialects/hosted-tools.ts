// Owns which tools of a request the provider runs itself, and which of its stored objects their settings name.

import { isObject } from '../json.ts';
import {
  addModel,
  addProblem,
  addReference,
  addStructured,
  checkKeys,
  eachObject,
  isName,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath, StateKind } from './request-types.ts';

const toolKeys: ReadonlySet<string> = new Set([
  'type',
  'name',
  'function',
  'custom',
  'tools',
  'environment',
  'execution',
  'model',
  'server_label',
  'server_url',
  'connector_id',
  'mcp_server_name',
  'container',
  'vector_store_ids',
  'file_ids',
  'file_id',
]);

/** Members that name stored objects, wherever they stand in the settings of what a provider runs. */
const referenceKeys: ReadonlyMap<string, StateKind> = new Map([
  ['file_id', 'file'],
  ['file_ids', 'file'],
  ['vector_store_id', 'vector_store'],
  ['vector_store_ids', 'vector_store'],
  ['container', 'container'],
  ['container_id', 'container'],
  ['skill_id', 'skill'],
  ['connector_id', 'connector'],
]);

/** Notes every stored object that a value names by a known key. `container: "auto"` style objects are walked. */
export function addReferencesIn(builder: RequestBuilder, value: unknown): void {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addReferencesIn(builder, item);
    return;
  }
  if (!isObject(value)) return;
  for (const key in value) {
    const member = value[key];
    const kind = referenceKeys.get(key);
    if (kind !== undefined && typeof member === 'string') addReference(builder, kind, member);
    else if (kind !== undefined && Array.isArray(member)) {
      const ids: readonly unknown[] = member;
      for (const id of ids) addReference(builder, kind, id);
    } else addReferencesIn(builder, member);
  }
}

/** Tools that the vendor defines but the client runs: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview */
const clientRun = /^(?:function|custom|local_shell|apply_patch|(?:bash|text_editor|memory|computer)_\d{8})$/;

function isClientRun(tool: JsonRecord, type: string): boolean {
  if (clientRun.test(type)) return true;
  if (type === 'tool_search') return tool.execution === 'client';
  if (type === 'shell') return isObject(tool.environment) && tool.environment.type === 'local';
  return false;
}

function hostedName(tool: JsonRecord, type: string): string {
  if (type !== 'mcp' && type !== 'mcp_toolset' && type !== 'url') return type;
  const name = tool.connector_id ?? tool.server_label ?? tool.mcp_server_name ?? tool.name;
  return isName(name) ? `mcp:${name}` : 'mcp';
}

/** Notes a tool by the name that policy sees if the provider runs it. */
export function readTool(builder: RequestBuilder, tool: JsonRecord): void {
  checkKeys(builder, tool, toolKeys);
  const type = tool.type ?? 'function';
  if (!isName(type)) {
    addProblem(builder, 'the `type` of a tool must be a string');
    return;
  }
  if (type === 'namespace') {
    eachObject(builder, tool.tools, 'tools', (inner) => readTool(builder, inner));
    return;
  }
  if (isClientRun(tool, type)) return;
  builder.hostedTools.add(hostedName(tool, type));
  addReferencesIn(builder, tool);
  addModel(builder, tool.model);
}

/** Reads a list of tool definitions: who runs each, and all their text as one part. */
export function readTools(builder: RequestBuilder, tools: unknown, path: BodyPath): void {
  if (tools === undefined || tools === null) return;
  eachObject(builder, tools, 'tools', (tool) => readTool(builder, tool));
  if (typeof tools === 'object') addStructured(builder, 'system', tools, path);
}
