// Owns which tools of a request the provider runs itself, and which of its stored objects their settings name.

import { isObject } from '../json.ts';
import { addModelsIn, addReferencesIn } from './named-in.ts';
import {
  addHostedTool,
  addProblem,
  addStructured,
  checkKeys,
  eachObject,
  isName,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { BodyPath } from './request-types.ts';

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

/** A tool without a type is the client's own if it has a name; else its one member names what the provider runs (Google's `{"google_search": {}}`). */
function unnamedTools(tool: JsonRecord): readonly string[] {
  const isOwn = isName(tool.type) || isName(tool.name) || isObject(tool.function);
  return isOwn ? [] : Object.keys(tool).filter(isName).concat('unnamed').slice(0, 1);
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
  const names = isClientRun(tool, type) ? unnamedTools(tool) : [hostedName(tool, type)];
  if (names.length === 0) return;
  for (const name of names) addHostedTool(builder, name);
  addReferencesIn(builder, tool);
  addModelsIn(builder, tool);
}

/** Reads a list of tool definitions: who runs each, and all their text as one part. */
export function readTools(builder: RequestBuilder, tools: unknown, path: BodyPath): void {
  if (tools === undefined || tools === null) return;
  eachObject(builder, tools, 'tools', (tool) => readTool(builder, tool));
  if (typeof tools === 'object') addStructured(builder, 'system', tools, path);
}
