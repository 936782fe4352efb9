// Owns what the settings of a body can ask of whoever serves it: other models, hosted tools, stored objects, another way out.

import { isObject } from '../json.ts';
import type { Level } from './known-keys.ts';
import { addModelsIn, isClientsOwn, referenceKeys } from './named-in.ts';
import { addRest } from './read-rest.ts';
import {
  addHostedTool,
  addProblem,
  addReference,
  fold,
  isName,
  type JsonRecord,
  type RequestBuilder,
} from './request-builder.ts';
import type { StateKind } from './request-types.ts';

/**
 * Members by which a gateway behind us lets its callers choose the address or the credential of a call (LiteLLM,
 * LoRAX, Vercel). Policy decided on a provider: a body that names another one is refused.
 */
const redirects: ReadonlySet<string> = new Set([
  'api_base',
  'api_key',
  'api_token',
  'api_version',
  'aws_access_key_id',
  'aws_secret_access_key',
  'azure_ad_token',
  'base_url',
  'byok',
  'custom_llm_provider',
  'extra_headers',
  'litellm_credential_name',
  'litellm_params',
  'model_list',
  'user_config',
  'vertex_credentials',
]);

/** Members that switch on a tool which the provider runs, and the name under which policy decides on it. */
const switches: ReadonlyMap<string, string> = new Map([
  ['web_search_options', 'web_search'], // OpenAI, Perplexity
  ['web_search', 'web_search'],
  ['enable_web_search', 'web_search'],
  ['enable_search', 'web_search'], // Qwen
  ['search_options', 'web_search'], // Qwen
  ['search_parameters', 'web_search'], // xAI
  ['search_settings', 'web_search'], // Groq
  ['enable_code_interpreter', 'code_interpreter'], // Qwen
  ['data_sources', 'data_sources'], // Azure OpenAI
  ['compound_custom', 'compound_custom'], // Groq
  ['connectors', 'connectors'], // Cohere
  ['mcp_servers', 'mcp'],
  ['plugins', 'plugin'], // OpenRouter, MiniMax
  ['enabled_tools', 'enabled_tools'],
  ['builtin_tools', 'builtin_tools'],
  ['server_tools', 'server_tools'],
]);

/** Members that name what the provider keeps, beside those that its tools' settings have too. */
const stored: ReadonlyMap<string, StateKind> = new Map([
  ...referenceKeys,
  ['preset', 'prompt'], // OpenRouter
  ['prompt_id', 'prompt'], // LiteLLM
  ['cached_content', 'prompt'], // Google
  ['assistant_id', 'prompt'],
  ['agent_id', 'prompt'], // Mistral
  ['thread_id', 'conversation'],
  ['conversation', 'conversation'],
  ['conversation_id', 'conversation'],
  ['previous_response_id', 'response'],
] satisfies readonly (readonly [string, StateKind])[]);

function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return Array.isArray(value) && value.length === 0;
}

/** One tool for each entry that has a name of its own: `plugin:web`, `plugin:file-parser`. */
function addSwitched(builder: RequestBuilder, tool: string, value: unknown): void {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const item of items) {
    const name = isObject(item) ? (item.id ?? item.name ?? item.type) : item;
    const hasName = tool !== 'web_search' && isName(name);
    addHostedTool(builder, hasName ? `${tool}:${name}`.slice(0, 256) : tool);
  }
}

function addStored(builder: RequestBuilder, kind: StateKind, value: unknown): void {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const item of items) {
    if (isObject(item)) addReference(builder, kind, item.id);
    else addReference(builder, kind, item);
  }
}

function readSetting(builder: RequestBuilder, key: string, value: unknown): void {
  if (isOff(value) || isClientsOwn(key)) return;
  const name = fold(key);
  if (redirects.has(name)) {
    addProblem(builder, `\`${name}\` would send this call another way than policy decides: leave it out`);
    return;
  }
  const tool = switches.get(name);
  if (tool !== undefined) addSwitched(builder, tool, value);
  const kind = stored.get(name);
  if (kind !== undefined) addStored(builder, kind, value);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const item of items) {
    if (!isObject(item)) continue;
    for (const inner in item) readSetting(builder, inner, item[inner]);
  }
}

/**
 * Reads the members of a body that its endpoint does not define. Their text is classified, and what providers of
 * the compatible kind are known to do on such a member is decided like its counterpart that the endpoint has:
 * another model like `model`, a hosted tool like one in `tools`, an id like `previous_response_id`.
 */
export function addSettings(builder: RequestBuilder, root: JsonRecord, level: Level): void {
  const { known } = level;
  addRest(builder, 'user', root, level, []);
  addModelsIn(builder, root, known);
  for (const key in root) if (!known.has(key)) readSetting(builder, key, root[key]);
}

/** The same of a body of which only its provider knows the shape; whose ids these are is not known here. */
export function addUnknownSettings(
  builder: RequestBuilder,
  root: JsonRecord,
  known: ReadonlySet<string>,
): void {
  addModelsIn(builder, root, known);
  for (const key in root) {
    const isRedirect = redirects.has(fold(key)) && !isOff(root[key]);
    if (isRedirect) readSetting(builder, key, root[key]);
  }
}
