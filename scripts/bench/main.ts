// `npm run bench`: what heddle's way costs, what the daemon costs, and what heddle adds to each agent.
// `npm run bench -- pi claude-history`: only what has these names, or begins with them.

import { availableParallelism, loadavg } from 'node:os';
import type { BenchedAgent } from './agents/benched-agent.ts';
import { claude } from './agents/claude.ts';
import { opencode } from './agents/opencode.ts';
import { pi } from './agents/pi.ts';
import { say } from './print-table.ts';
import { reportFirstWords, reportHistory, reportPieces } from './report-agent.ts';
import { reportDaemon, reportReconnect } from './report-daemon.ts';
import { reportDoors } from './report-doors.ts';
import { reportGuessing, reportJunk } from './report-strangers.ts';

interface Part {
  name: string;
  report(): Promise<void>;
}

const partsOf = (agent: BenchedAgent): Part[] => [
  { name: `${agent.name}-pieces`, report: () => reportPieces(agent) },
  { name: `${agent.name}-first-words`, report: () => reportFirstWords(agent) },
  { name: `${agent.name}-history`, report: () => reportHistory(agent) },
];

const parts: Part[] = [
  { name: 'doors', report: reportDoors },
  { name: 'reconnect', report: reportReconnect },
  { name: 'daemon', report: reportDaemon },
  ...[claude, pi, opencode].flatMap(partsOf),
  { name: 'strangers-junk', report: reportJunk },
  { name: 'strangers-guessing', report: reportGuessing },
];

const wanted = process.argv.slice(2);
const isNamed = (word: string, { name }: Part) => name === word || name.startsWith(`${word}-`);
const unknown = wanted.find((word) => !parts.some((part) => isNamed(word, part)));
if (unknown === undefined) {
  say(`this computer has ${availableParallelism()} processors, and a load of ${loadavg()[0]?.toFixed(1)} before the benches`);
  for (const part of parts) if (wanted.length === 0 || wanted.some((word) => isNamed(word, part))) await part.report();
} else {
  process.stderr.write(`no bench is named "${unknown}": there are ${parts.map(({ name }) => name).join(', ')}\n`);
  process.exitCode = 2;
}
