// Stands between a server on this computer and whoever uses it, passes HTTP through, and notes when each chunk of a
// stream of events leaves the server, just before it is passed on. It writes its notes when its parent lets it go.
// Arguments: the folder for the notes, the server. Tells its parent its own address.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NotedChunk, writeNotes } from './tap-notes.ts';
import { monotonicMs } from './timed-text.ts';

const [folder = '', server = ''] = process.argv.slice(2);
const streams: NotedChunk[][] = [];

const tap = createServer((asked, answer) => {
  const passed = request(new URL(asked.url ?? '/', server), { method: asked.method, headers: asked.headers }, (response) => {
    pass(response, answer);
  });
  passed.on('error', () => answer.destroy());
  answer.once('close', () => passed.destroy());
  asked.pipe(passed);
});

function pass(response: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(response.statusCode ?? 502, response.headers);
  if (response.headers['content-type']?.startsWith('text/event-stream') !== true) {
    response.pipe(answer);
    return;
  }
  const chunks: NotedChunk[] = [];
  streams.push(chunks);
  answer.flushHeaders();
  response.on('data', (bytes: Buffer) => {
    chunks.push({ atMs: monotonicMs(), bytes });
    answer.write(bytes);
  });
  response.once('close', () => answer.end());
}

tap.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(tap.address() as AddressInfo).port}` }));
process.once('disconnect', () => {
  for (const [n, chunks] of streams.entries()) writeNotes(folder, `${process.pid}-${n}`, chunks);
  process.exit();
});
