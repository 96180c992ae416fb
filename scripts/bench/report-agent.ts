// Shows what heddle adds to an agent's own time, and what its stored history costs. The goals are the same for all agents.

import { startModelServer } from '../../test/model-server/server.ts';
import { installAgents } from '../install-agents.ts';
import { type FirstWordsFigures, measureFirstWords } from './agent-first-words.ts';
import { measureHistory } from './agent-history.ts';
import { measurePieces, type PieceFigures } from './agent-latency.ts';
import type { BenchedAgent, SettledAgent } from './agents/benched-agent.ts';
import { printTable, say } from './print-table.ts';

export async function reportPieces(agent: BenchedAgent): Promise<void> {
  const figures = await settled(agent, (use) => measurePieces(agent.name, use));
  const { plainName } = agent;
  say(`\nfrom ${agent.name}'s output to the reader of a piece of its answer, ms: a program that uses ${plainName}, and a phone`);
  printTable(['', 'pieces', `${plainName} p50`, 'heddle p50', 'goal', `${plainName} p99`, 'heddle p99', 'goal'], figures.map(pieceRow));
}

function pieceRow({ atOnce, count, plain, heddle }: PieceFigures): string[] {
  return [
    atOnce === 1 ? 'one thread' : `${atOnce} threads at once`,
    String(count),
    plain.p50Ms.toFixed(2),
    heddle.p50Ms.toFixed(2),
    '≤ 1',
    plain.p99Ms.toFixed(2),
    heddle.p99Ms.toFixed(2),
    atOnce === 1 ? '≤ 5' : '',
  ];
}

export async function reportFirstWords(agent: BenchedAgent): Promise<void> {
  const figures = await settled(agent, (use) => measureFirstWords(agent.name, use));
  const { name, plainName } = agent;
  say(`\nuntil the first words of an answer of ${name}'s, ms`);
  printTable(['', plainName, 'heddle', 'added', `× ${plainName}`], figures.map(firstWordsRow));
}

function firstWordsRow({ name, plainMs, heddleMs }: FirstWordsFigures): string[] {
  return [name, plainMs.toFixed(0), heddleMs.toFixed(0), (heddleMs - plainMs).toFixed(0), (heddleMs / plainMs).toFixed(2)];
}

export async function reportHistory(agent: BenchedAgent): Promise<void> {
  await installAgents();
  const { sessions, coldMs, warmMs, clientMs, readMs, readAgainMs, itemsRead } = await measureHistory(agent);
  say(`\n${agent.name}'s stored history, ms`);
  printTable(
    ['', 'measured', 'goal'],
    [
      [`list of ${sessions} sessions, cold`, coldMs.toFixed(0), '≤ 3000'],
      [`list of ${sessions} sessions, warm`, warmMs.toFixed(0), '≤ 300'],
      ['the same for a client of the hub, a page of 50, warm', clientMs.toFixed(0), '≤ 300'],
      [`read of a transcript of ${itemsRead} items`, readMs.toFixed(0), ''],
      ['the same again', readAgainMs.toFixed(0), ''],
    ],
  );
}

async function settled<T>(agent: BenchedAgent, measure: (use: SettledAgent) => Promise<T>): Promise<T> {
  await installAgents();
  const modelServer = await startModelServer();
  const use = await agent.settle(modelServer.url);
  try {
    return await measure(use);
  } finally {
    await modelServer.close();
    await use.end();
  }
}
