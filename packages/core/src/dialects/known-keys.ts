// Owns which members each level of a body may have: those that its reader reads, and those that only steer.

/** One level of a body. Whatever stands there and is not in `read` goes to classification (read-rest.ts). */
export type Level = {
  /** What the dialects name here: a key that differs from one of these in case only is refused. */
  readonly known: ReadonlySet<string>;
  /** What the level's own reader reads, of whatever type it is. */
  readonly read: ReadonlySet<string>;
};

/** What steers and holds no prompt, at any level of a message. */
const steering =
  'type id status index role call_id tool_call_id tool_use_id cache_control signature detail phase is_error ' +
  'caller media_type prompt_cache_breakpoint';

function split(names: string): readonly string[] {
  return names === '' ? [] : names.split(' ');
}

function level(read: string, named = steering): Level {
  return { known: new Set([...split(read), ...split(named)]), read: new Set(split(read)) };
}

const limits = 'max_tokens max_completion_tokens max_output_tokens';

/** Top-level settings of OpenAI's endpoints; what of them is not read by name goes to classification. */
const settings =
  'stream_options n best_of user safety_identifier service_tier tool_choice function_call reasoning_effort verbosity ' +
  'modalities logit_bias encoding_format truncation include prompt_cache_key prompt_cache_retention prompt_cache_options';

/**
 * INVARIANT: `read` holds only what the level's reader reads whole, whatever its type: it adds its text, marks it
 * opaque or refuses it. A test puts something to be found into each of these members, so a new level or key needs
 * no test of its own, but a place in `known-keys.test.ts`.
 */
export const levels = {
  chat: level(
    `model stream ${limits} n store messages tools functions prediction`,
    `${settings} audio moderation`,
  ),
  completions: level(`model stream ${limits} n best_of store prompt`, settings),
  embeddings: level(`model stream ${limits} store input`, settings),
  responses: level(
    `model stream ${limits} store background input instructions tools prompt`,
    `${settings} previous_response_id conversation moderation client_metadata`,
  ),
  messages: level(
    'model max_tokens stream messages system tools mcp_servers',
    'tool_choice container metadata fallbacks thread thinking service_tier speed cache_control inference_geo',
  ),
  chatMessage: level('content tool_calls function_call', `${steering} audio refusal`),
  message: level('content'),
  toolCall: level('function custom'),
  calledFunction: level('arguments input', `${steering} name`),
  prediction: level('content'),
  storedPrompt: level('variables', 'id version'),
  text: level('text'),
  refusal: level('refusal'),
  thinking: level('thinking signature'),
  redactedThinking: level('data', `${steering} encrypted_content`),
  image: level('image_url source', `${steering} file_id`),
  audio: level('input_audio'),
  file: level('file source file_data file_url', `${steering} file_id`),
  document: level('source'),
  source: level('url data file_data content', `${steering} format file_id`),
  call: level('input', `${steering} tool_name`),
  result: level('content output'),
  compactionPart: level('encrypted_content', `${steering} data`),
  callItem: level('arguments input', `${steering} name namespace`),
  outputItem: level('output'),
  reasoning: level('summary content encrypted_content'),
  compaction: level('encrypted_content', `${steering} summary content`),
  reference: level('', `${steering} content`),
  imageCall: level('result'),
  toolsItem: level('tools'),
} as const satisfies { readonly [name: string]: Level };

/** Of what the dialects name and no reader reads, members that are text or data where they stand: all others are controls. */
const texts: ReadonlySet<string> = new Set(
  split('refusal summary content data encrypted_content signature audio moderation'),
);

/** True for a known member whose value is no id and no setting. */
export function isText(key: string): boolean {
  return texts.has(key);
}

/**
 * Words of the dialects themselves, as keys and as values: they say nothing of a prompt. What is not here costs a
 * look of the detectors and nothing else.
 */
const words: ReadonlySet<string> = new Set(
  split(
    `${steering} ${settings} ${limits} system developer user assistant tool function ` +
      'text input_text output_text summary_text reasoning_text refusal thinking redacted_thinking image image_url ' +
      'input_image input_audio input_file file document tool_use tool_result server_tool_use mcp_tool_use ' +
      'mcp_tool_result message function_call function_call_output custom_tool_call custom_tool_call_output reasoning ' +
      'compaction item_reference custom content name input output arguments source data url title ' +
      'completed in_progress incomplete failed succeeded auto none required any low medium high minimal xhigh max ' +
      'original concise detailed ephemeral ttl 5m 1h 24h in_memory in-memory direct standard default flex priority ' +
      'scale fast float base64 disabled enabled adaptive budget_tokens display omitted summarized include_usage ' +
      'include_obfuscation disable_parallel_tool_use reasoning.encrypted_content message.output_text.logprobs ' +
      'commentary final_answer audio json_object text/plain application/pdf image/png image/jpeg image/gif image/webp ' +
      'temperature top_p top_k seed stop stop_sequences presence_penalty frequency_penalty logprobs top_logprobs ' +
      'parallel_tool_calls response_format metadata output_config output_format effort format verbosity summary ' +
      'annotations citations is_error betas context_management web_search_options reasoning echo suffix dimensions ' +
      'background store moderation conversation max_tool_calls top_a min_p repetition_penalty tool_calls context',
  ),
);

/** True for a word of the dialects. */
export function isWord(text: string): boolean {
  return words.has(text);
}

/** Numbers below it are counts, flags and settings; longer ones may be somebody's. */
const firstLong = 100_000;

/** True for a number too short to be anybody's: a count, an index, a temperature. */
export function isShort(value: number): boolean {
  return value < firstLong && value > -firstLong;
}

/** Items of a list, and levels of objects, that are looked at. */
const mostItems = 16;
const mostLevels = 4;

/** True for a value that is made of the dialects' own words, flags and short numbers, in which nothing can be found. */
export function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value === '' || words.has(value);
  if (typeof value === 'number') return isShort(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > mostLevels) return false;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.length <= mostItems && items.every((item) => isPlain(item, depth + 1));
  }
  for (const key in value) {
    const inner: unknown = Reflect.get(value, key);
    if (!words.has(key) || !isPlain(inner, depth + 1)) return false;
  }
  return true;
}
