// Owns the program of the example: it knows Anthropic's client, and nothing of Countersign but the header of the record.

import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic();
const asked = {
  model: 'sandbox',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Say hello to the auditors' }],
};

const { input_tokens: counted } = await client.messages.countTokens({
  model: asked.model,
  messages: asked.messages,
});
console.log(`the prompt has ${counted} tokens`);

const final = await client.messages.stream(asked).finalMessage();
console.log(`streamed: ${final.content.map((part) => part.text).join('')}`);

const { data, response } = await client.messages.create(asked).withResponse();
console.log(`answered: ${data.content.map((part) => part.text).join('')}`);
if (final.stop_reason !== 'end_turn') throw new Error(`the stream ended with ${final.stop_reason}`);
console.log(`record ${response.headers.get('x-countersign-record')}`);
