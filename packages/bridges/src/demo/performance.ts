// Owns how the demo plays one turn: the steps in their order, at a pace that a person can follow.

import { type RunningTurn, uuidV7 } from '@heddle/bridge-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UserInput } from '@heddle/wire';
import { ownCommand, performCommand } from './command-step.ts';
import { performFileChange } from './file-step.ts';
import * as lines from './lines.ts';
import { readScript, type Step } from './script.ts';

const WORD_MS = 10;
const SLOW_WORD_MS = 120;
const PLAN_STEP_MS = 60;

export class Performance {
  readonly #turn: RunningTurn;
  readonly #launchEnv: () => Promise<NodeJS.ProcessEnv>;
  /** What came of the steps, for the closing words. */
  #sentences: string[] = [];
  /** The demo has no tokens, so it counts words: those it was told and said before, said now, thought now. */
  readonly #words = { input: 0, output: 0, reasoning: 0 };

  constructor(turn: RunningTurn, launchEnv: () => Promise<NodeJS.ProcessEnv>) {
    this.#turn = turn;
    this.#launchEnv = launchEnv;
  }

  /** Plays until no message is left. Steering ends what is being said at once, a command or a question only after it. */
  async play(): Promise<void> {
    while (this.#turn.hasMessages) {
      const message = this.#turn
        .takeMessages()
        .map(({ content }) => textOf(content))
        .join('\n');
      this.#words.input += countWords(message);
      this.#sentences = [];
      const script = readScript(message);
      await (script.kind === 'tour' ? this.#tour() : this.#steps(script.steps));
    }
  }

  async #steps(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      await this.#perform(step, isLast);
      if (this.#turn.hasMessages) return;
      if (isLast && step.kind !== 'text' && step.kind !== 'slow') await this.#say(this.#sentences.join(' '), 'final_answer');
    }
  }

  async #perform(step: Step, isLast: boolean): Promise<void> {
    const phase = isLast ? 'final_answer' : 'commentary';
    switch (step.kind) {
      case 'text':
        return this.#say(step.text ?? lines.helloText, phase);
      case 'slow':
        return this.#say(lines.slowText(step.words), phase, SLOW_WORD_MS);
      case 'reason':
        return this.#reason();
      case 'plan':
        return this.#plan();
      case 'command':
        return this.#command(step.command ?? ownCommand);
      case 'file':
        return this.#file();
      case 'fail':
        throw new Error(lines.failureText);
    }
  }

  async #tour(): Promise<void> {
    const scenes = [
      () => this.#say(lines.introText, 'commentary'),
      () => this.#showPlan(lines.tourPlan, 0),
      () => this.#command(ownCommand),
      () => this.#showPlan(lines.tourPlan, 1),
      () => this.#file(),
      () => this.#showPlan(lines.tourPlan, 2),
      () => this.#say([...this.#sentences, lines.helpText].join(' '), 'final_answer'),
      () => this.#showPlan(lines.tourPlan, 3),
    ];
    for (const scene of scenes) {
      if (this.#turn.hasMessages) return;
      await scene();
    }
  }

  async #say(text: string, phase: 'commentary' | 'final_answer', wordMs = WORD_MS): Promise<void> {
    const turn = this.#turn;
    turn.signal.throwIfAborted();
    const itemId = uuidV7();
    turn.apply({ type: 'itemStarted', item: { type: 'agentMessage', id: itemId, text: '', phase } });
    for (const word of wordsOf(text)) {
      if (turn.hasMessages) break;
      turn.apply({ type: 'textDelta', itemId, delta: word });
      this.#words.output += 1;
      await sleep(wordMs, undefined, { signal: turn.signal });
    }
    turn.apply({ type: 'itemCompleted', itemId });
    this.#endResponse();
  }

  async #reason(): Promise<void> {
    const turn = this.#turn;
    turn.signal.throwIfAborted();
    const itemId = uuidV7();
    turn.apply({ type: 'itemStarted', item: { type: 'reasoning', id: itemId, summary: [], content: [] } });
    for (const section of lines.reasoningSections) {
      turn.apply({ type: 'reasoningPart', itemId });
      for (const word of wordsOf(section)) {
        turn.apply({ type: 'reasoningDelta', itemId, delta: word });
        this.#words.reasoning += 1;
        await sleep(WORD_MS, undefined, { signal: turn.signal });
      }
    }
    turn.apply({ type: 'itemCompleted', itemId });
    this.#sentences.push('That was reasoning, and this is the answer.');
  }

  async #plan(): Promise<void> {
    for (let done = 0; done <= lines.shortPlan.length; done += 1) await this.#showPlan(lines.shortPlan, done);
    this.#endResponse();
    this.#sentences.push('The plan is done.');
  }

  async #showPlan(steps: readonly string[], done: number): Promise<void> {
    const statusOf = (index: number) => (index < done ? 'completed' : index === done ? 'inProgress' : 'pending');
    const plan = steps.map((step, index) => ({ step, status: statusOf(index) }) as const);
    this.#turn.apply({ type: 'planUpdated', explanation: null, plan });
    await sleep(PLAN_STEP_MS, undefined, { signal: this.#turn.signal });
  }

  async #command(command: string): Promise<void> {
    const outcome = await performCommand(this.#turn, command, await this.#launchEnv());
    this.#endResponse();
    if (outcome.kind === 'cancelled') this.#stop();
    this.#sentences.push(lines.commandSentence(outcome));
  }

  async #file(): Promise<void> {
    const outcome = await performFileChange(this.#turn);
    this.#endResponse();
    if (outcome.kind === 'cancelled') this.#stop();
    this.#sentences.push(lines.fileSentence(outcome));
  }

  /** A person answered a question with `cancel`: the turn ends as interrupted. */
  #stop(): never {
    this.#turn.cut({ status: 'interrupted' });
    throw this.#turn.signal.reason;
  }

  /** As in codex, the usage is told after each answer of the model. */
  #endResponse(): void {
    const { input, output, reasoning } = this.#words;
    const usage = {
      inputTokens: input,
      outputTokens: output + reasoning,
      reasoningOutputTokens: reasoning,
      cachedInputTokens: 0,
      cacheWriteInputTokens: 0,
    };
    this.#turn.apply({ type: 'responseEnded', usage, contextWindow: null });
    this.#words.input += output;
    this.#words.output = 0;
    this.#words.reasoning = 0;
  }
}

/** Pieces that make the text again when they are joined. */
function wordsOf(text: string): string[] {
  return text.split(/(?<=\s)(?=\S)/);
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

/** The demo can't see pictures; only what was written counts. */
function textOf(content: readonly UserInput[]): string {
  return content.flatMap((input) => (input.type === 'text' ? [input.text] : [])).join('\n');
}
