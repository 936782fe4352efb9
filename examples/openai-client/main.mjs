// Owns the program of the example: it knows OpenAI's client, and nothing of Countersign but the header of the record.

import OpenAI from 'openai';

const client = new OpenAI();
const messages = [{ role: 'user', content: 'Say hello to the auditors' }];

const stream = await client.chat.completions.create({ model: 'sandbox', messages, stream: true });
let streamed = '';
for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? '';
console.log(`streamed: ${streamed}`);

const { data, response } = await client.responses
  .create({ model: 'sandbox', input: 'Say hello to the auditors' })
  .withResponse();
console.log(`answered: ${data.output_text}`);
if (streamed === '' || data.output_text === '') throw new Error('an answer was empty');
console.log(`record ${response.headers.get('x-countersign-record')}`);
