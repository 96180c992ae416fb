// Runs the scripted model server as a process: `node test/model-server/main.ts [--port N]`. It prints
// {"url":"http://127.0.0.1:PORT"} when it listens. GET /__log shows the requests, GET /__release/NAME opens a gate.

import { parseArgs } from 'node:util';
import { startModelServer } from './server.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const server = await startModelServer({ port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
