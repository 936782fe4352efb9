// Owns one call of the example: asks the sandbox something, and prints the id of the record.

const response = await fetch(`${process.env.COUNTERSIGN_URL}/v1/chat/completions`, {
  method: 'POST',
  headers: { authorization: `Bearer ${process.env.MODELS_KEY}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
});
if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
console.log(response.headers.get('x-countersign-record'));
