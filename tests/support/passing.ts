// Owns calls to endpoints that are passed through, in tests: what is sent, what it answers, and that nothing was sent.

import assert from 'node:assert/strict';
import { codeOf, type RawAnswer, type TestGateway } from './gateway.ts';
import { at, textAt } from './server.ts';

/** Calls through the gateway that `gateway` gives, once it runs. */
export function createPassing(gateway: () => TestGateway) {
  let made = 0;

  /** A call to a path of the provider, which answers with `answer`. A text is no JSON. */
  async function pass(key: string, method: string, path: string, body: unknown = '', answer: unknown = {}) {
    const { provider, call } = gateway();
    provider.answer((_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    const isText = typeof body === 'string';
    const answered = await call({
      key,
      method,
      path: `/providers/fake${path}`,
      body: isText ? body : JSON.stringify(body),
      headers: ['content-type', isText ? 'multipart/form-data; boundary=x' : 'application/json'],
    });
    provider.answer();
    return answered;
  }

  return {
    pass,
    /** A file of this person's own. */
    async upload(key: string): Promise<string> {
      made += 1;
      const id = `file-Uploaded${made}`;
      const form = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nb\r\n--x--\r\n';
      const answer = await pass(key, 'POST', '/v1/files', form, { id, object: 'file' });
      assert.equal(answer.status, 200, answer.text);
      return id;
    },
    /** The refusal of what is another's: told as if it were not there, recorded, and nothing sent. */
    async assertForeign(answer: RawAnswer, sent: number, about: string): Promise<void> {
      const { provider, record } = gateway();
      assert.equal(answer.status, 404, `${about}: ${answer.text}`);
      assert.equal(codeOf(answer), 'not_found');
      assert.equal(provider.dispatched(), sent, `${about}: nothing is sent`);
      const entry: unknown = JSON.parse(textAt(await record(answer.record()), 'entries.0.text'));
      assert.deepEqual(
        [at(entry, 'policy.decision'), at(entry, 'policy.reason')],
        ['deny', 'foreign_id'],
        about,
      );
    },
  };
}
